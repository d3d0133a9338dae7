// SPDX-License-Identifier: Apache-2.0
//! sg_inspect: what a binary wants and offers, without an engine, also when the binary is hostile.

mod support;
use sandgate_engine::c_types::{self, Bytes, BytesList};
use sandgate_engine::ffi::*;
use std::ptr::null_mut;
use support::*;

#[derive(Debug, PartialEq, Eq)]
struct Seen {
    kind: String,
    imports: Vec<String>,
    exports: Vec<String>,
}

fn inspect(wasm: &[u8]) -> Result<Seen, Error> {
    let text = |bytes: Bytes| String::from_utf8(unsafe { bytes.as_slice() }.to_vec()).unwrap();
    let list = |list: BytesList| unsafe { c_types::slice(list.data, list.len) }.iter().map(|name| text(*name)).collect();
    let mut raw = null_mut();
    take(unsafe { sg_inspect(Bytes::of(wasm), &mut raw) })?;
    let seen = unsafe {
        Seen {
            kind: text(sg_inspection_kind(raw)),
            imports: list(sg_inspection_imports(raw)),
            exports: list(sg_inspection_exports(raw)),
        }
    };
    unsafe { sg_inspection_drop(raw) };
    Ok(seen)
}

fn wasm(wat: &str) -> Vec<u8> {
    wat::parse_str(wat).unwrap()
}

#[test]
fn core_modules_show_their_names_as_written() {
    let seen = inspect(&wasm(
        r#"(module (import "wasi_snapshot_preview1" "fd_write" (func)) (import "env" "memory" (memory 1))
             (func (export "sgl:router/middleware-on-request#on-request")) (global (export "g") i32 (i32.const 0)))"#,
    ))
    .unwrap();
    assert_eq!(seen.kind, "core module");
    assert_eq!(seen.imports, ["wasi_snapshot_preview1.fd_write", "env.memory"]);
    assert_eq!(seen.exports, ["sgl:router/middleware-on-request#on-request", "g"]);
}

#[test]
fn components_show_only_what_is_outermost() {
    let seen = inspect(&wasm(
        r#"(component
             (import "wasi:http/types@0.2.0" (instance))
             (component (import "inner" (func)) (core module (import "a" "b" (func)) (export "c" (func 0))))
             (core module $m (import "x" "y" (func)) (func (export "f")))
             (import "wasi:keyvalue/store@0.2.0-draft2" (instance $i))
             (export "sgl:router/middleware-on-request" (instance $i)))"#,
    ))
    .unwrap();
    assert_eq!(seen.kind, "component");
    assert_eq!(seen.imports, ["wasi:http/types@0.2.0", "wasi:keyvalue/store@0.2.0-draft2"]);
    assert_eq!(seen.exports, ["sgl:router/middleware-on-request"]);
}

#[test]
fn what_is_no_binary_is_an_error() {
    for bytes in [&b""[..], b"\0asm", b"(module)", b"\0asm\x63\0\0\0", b"\0asm\x01\0\0\0\x02\xff\xff\xff\xff\x0f"] {
        assert_eq!(inspect(bytes).unwrap_err().kind, ErrorKind::InvalidModule, "{bytes:?}");
    }
    assert_eq!(inspect(b"\0asm\x01\0\0\0").unwrap(), Seen { kind: "core module".into(), imports: vec![], exports: vec![] });
}

#[test]
fn every_flipped_or_missing_byte_is_survived() {
    for good in [
        wasm(&on_request("(i32.const 1024)")),
        wasm("(component (import \"a:b/c\" (instance)) (core module (func (export \"f\"))))"),
    ] {
        for at in 0..good.len() {
            let _ = inspect(&good[..at]);
            for bits in [0x01, 0x41, 0x80, 0xff] {
                let mut bad = good.clone();
                bad[at] ^= bits;
                let _ = inspect(&bad);
            }
        }
    }
}

#[test]
fn names_are_bounded() {
    let many: String = (0..10_001).map(|at| format!("(export \"{at}\" (func 0))")).collect();
    assert_eq!(inspect(&wasm(&format!("(module (func) {many})"))).unwrap_err().kind, ErrorKind::Unsupported);
    let long = "x".repeat(90_000);
    let long: String = (0..50).map(|at| format!("(export \"{at}{long}\" (func 0))")).collect();
    assert_eq!(inspect(&wasm(&format!("(module (func) {long})"))).unwrap_err().kind, ErrorKind::Unsupported);
}
