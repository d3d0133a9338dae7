// SPDX-License-Identifier: Apache-2.0
//! What is not compiled or not loaded, and what the refusal says; and that code from the compiler process loads in the server.

mod support;
use sandgate_engine::abi::router_middleware::PACKAGES as ROUTER_PACKAGES;
use support::*;

fn wasm(wat: &str) -> Vec<u8> {
    wat::parse_str(wat).unwrap()
}

#[test]
fn only_webassembly_binaries_are_taken() {
    let engine = Engine::new(COMPILER);
    let good = wasm(&on_request("(i32.const 1024)"));
    let mut noise = b"\0asm\x01\0\0\0".to_vec();
    noise.extend((0..4096u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8));
    for (what, bytes) in [
        ("nothing", &b""[..]),
        ("text", on_request("(i32.const 1024)").as_bytes()),
        ("random bytes", &noise[8..]),
        ("random bytes after the header", &noise),
        ("header only, cut", b"\0asm"),
        ("version from the future", b"\0asm\x63\0\0\0"),
    ] {
        let error = engine.compile(bytes).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidModule, "{what}: {error:?}");
        assert!(!error.message.is_empty());
    }
    for end in 8..good.len() - 1 {
        // Cut between sections it may still be a module, but one that lacks something.
        if let Err(error) = engine.compile(&good[..end]) {
            assert!(matches!(error.kind, ErrorKind::InvalidModule | ErrorKind::Exports), "cut at {end}: {error:?}");
        }
    }
    assert_eq!(engine.compile(&good[..good.len() / 2]).unwrap_err().kind, ErrorKind::InvalidModule);
}

#[test]
fn every_flipped_byte_is_survived() {
    let engine = Engine::new(COMPILER);
    let good = wasm(&on_request("(i32.const 1024)"));
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x41;
        if let Ok(code) = engine.compile(&bad) {
            let _ = engine.load(&code);
        }
    }
}

#[test]
fn proposals_that_are_off_are_named_as_such() {
    let engine = Engine::new(COMPILER);
    for (what, fields) in [
        ("threads", "(memory $shared 1 1 shared)"),
        ("memory64", "(memory $big i64 1)"),
        ("gc", "(type (struct (field i32)))"),
        ("exceptions", "(tag $e)"),
        ("relaxed simd", "(func (param v128 v128) (result v128) (i8x16.relaxed_swizzle (local.get 0) (local.get 1)))"),
        ("function references", "(type $f (func)) (func (param (ref $f)))"),
        (
            "wide arithmetic",
            "(func (param i64 i64 i64 i64) (result i64 i64) (i64.add128 (local.get 0) (local.get 1) (local.get 2) (local.get 3)))",
        ),
        ("multi-memory", "(memory $second 1)"),
        ("custom page sizes", "(memory 1 (pagesize 1))"),
    ] {
        let text = on_request("(i32.const 1024)");
        let text = text.strip_suffix(')').unwrap();
        let error = engine.compile(&wasm(&format!("{text} {fields})"))).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unsupported, "{what}: {error:?}");
    }
    let lists = "(component (type (list u8 4)))";
    assert_eq!(engine.compile(&wasm(lists)).unwrap_err().kind, ErrorKind::Unsupported);
}

#[test]
fn proposals_that_are_on_work() {
    let engine = Engine::new(POOLED);
    let fields = r#"
      (global i32 (i32.add (i32.const 1) (i32.const 2)))
      (table 4 funcref)
      (func $two (result i32 i32) (i32.const 1) (i32.const 2))
      (func $tail (result i32 i32) (return_call $two))
      (func (export "used") (result i32) (i32.add (call $tail)))
      (func (export "lanes") (result i32) (i32x4.extract_lane 0 (i32x4.add (v128.const i32x4 1 2 3 4) (v128.const i32x4 1 2 3 4))))
      (func (export "bulk") (memory.fill (i32.const 0) (i32.const 0) (i32.const 8)) (memory.copy (i32.const 0) (i32.const 8) (i32.const 8)))
      (func (export "refs") (table.set (i32.const 0) (ref.null func)))
      (func (export "convert") (result i32) (i32.extend8_s (i32.trunc_sat_f32_s (f32.const 1))))"#;
    let text = on_request("(i32.const 1024)");
    let module = engine.module(&format!("{} {fields})", text.strip_suffix(')').unwrap())).unwrap();
    module.instance(budget()).request(&engine, &Request::new()).action();
}

#[test]
fn the_parts_of_a_composed_component_may_pass_texts() {
    let engine = Engine::new(COMPILER);
    let composed = r#"(component
      (component $reader
        (core module $code
          (memory (export "memory") 1)
          (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64))
          (func (export "read") (param i32 i32) (result i32) (i32.load8_u (local.get 0))))
        (core instance $code (instantiate $code))
        (func (export "read") (param "text" string) (result u32)
          (canon lift (core func $code "read") (memory (core memory $code "memory")) (realloc (core func $code "realloc")))))
      (component $caller
        (import "read" (func $read (param "text" string) (result u32)))
        (core module $memory (memory (export "memory") 1))
        (core instance $memory (instantiate $memory))
        (core func $read (canon lower (func $read) (memory (core memory $memory "memory"))))
        (core module $code
          (import "" "read" (func $read (param i32 i32) (result i32)))
          (func (export "run") (result i32) (call $read (i32.const 0) (i32.const 5))))
        (core instance $code (instantiate $code (with "" (instance (export "read" (func $read))))))
        (func (export "run") (result u32) (canon lift (core func $code "run"))))
      (instance $reader (instantiate $reader))
      (instance $caller (instantiate $caller (with "read" (func $reader "read"))))
      (export "run" (func $caller "run")))"#;
    // Compiled and loaded; only then is it seen that it has no hook.
    let code = engine.compile(&wasm(composed)).unwrap();
    assert_eq!(engine.load(&code).err().unwrap().kind, ErrorKind::Exports);
}

#[test]
fn a_core_module_without_the_exports_is_told_what_to_export() {
    let engine = Engine::new(COMPILER);
    let error = engine.compile(&wasm("(module (func (export \"run\")))")).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Exports);
    assert!(error.message.contains("sgl:router/middleware-on-request#on-request"), "{}", error.message);
    assert!(error.message.contains("wasm-tools component new"), "{}", error.message);
    // The name is right, the core type is not.
    let wrong =
        guest("sgl:router", r#"(func (export "$PKG/middleware-on-request#on-request") (param i32) (result i32) (i32.const 0))"#);
    let error = engine.compile(&wasm(&wrong)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Exports, "{error:?}");
    // No memory to pass strings in.
    let bare = r#"(module (func (export "sgl:router/middleware-on-request#on-request")
        (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i64) (result i32) (i32.const 0)))"#;
    let error = engine.compile(&wasm(bare)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Exports, "{error:?}");
}

#[test]
fn imports_that_are_not_granted_are_named() {
    let engine = Engine::new(POOLED);
    for (import, name) in [("env", "steal"), ("wasi_snapshot_preview1", "sock_open")] {
        let wat = on_request("(i32.const 1024)").replace("(module", &format!("(module (import \"{import}\" \"{name}\" (func))"));
        let error = engine.compile(&wasm(&wat)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Link);
        assert!(error.message.contains(import) && error.message.contains(name), "{}", error.message);
    }
    for import in [
        "(import \"acme:secrets/vault\" (instance (export \"open\" (func))))",
        "(import \"wasi:keyvalue/store@0.2.0-draft\" (instance (export \"open\" (func))))",
        "(import \"wasi:cli/environment@0.2.0\" (instance (export \"steal\" (func))))",
    ] {
        let error = engine.module(&format!("(component {import})")).unwrap_err();
        let name = import.split('"').nth(1).unwrap();
        assert_eq!(error.kind, ErrorKind::Link, "{error:?}");
        assert!(error.message.contains(name), "{}", error.message);
    }
}

#[test]
fn components_must_export_a_hook_of_the_right_type() {
    let engine = Engine::new(POOLED);
    let error = engine.module("(component)").unwrap_err();
    assert_eq!(error.kind, ErrorKind::Exports);
    assert!(error.message.contains("on-request") && error.message.contains("sgl:router"), "{}", error.message);

    let inner =
        "(core module $m (func (export \"f\"))) (core instance $i (instantiate $m)) (func $f (canon lift (core func $i \"f\")))";
    for (export, wanted) in [
        (
            "(instance $x (export \"on-request\" (func $f))) (export \"sgl:router/middleware-on-request\" (instance $x))",
            "func(req: request)",
        ),
        (
            "(instance $x (export \"on-response\" (func $f))) (export \"smg:gateway/middleware-on-response\" (instance $x))",
            "func(resp: response)",
        ),
        ("(instance $x (export \"other\" (func $f))) (export \"sgl:router/middleware-on-request\" (instance $x))", "missing"),
    ] {
        let error = engine.module(&format!("(component {inner} {export})")).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Exports, "{error:?}");
        assert!(error.message.contains(wanted), "{}", error.message);
    }
}

/// A component as bindings generators make it: it imports the type-only instance of its package.
fn component_importing_types(package: &str) -> Vec<u8> {
    use wit_component::{ComponentEncoder, StringEncoding};
    let wit = include_str!("../wit/router_middleware.wit").replace("package sgl:router;", &format!("package {package};"));
    let mut module = wasm(&guest(package, include_str!("guests/echo.wat")));
    let mut resolve = wit_parser::Resolve::default();
    let id = resolve.push_str("router.wit", &wit).unwrap();
    let world = resolve.select_world(&[id], Some("both")).unwrap();
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
}

#[test]
fn finished_components_of_all_packages_run() {
    let engine = Engine::new(POOLED);
    for package in ROUTER_PACKAGES {
        let component = component_importing_types(package);
        let name = format!("{package}/middleware-types");
        assert!(component.windows(name.len()).any(|window| window == name.as_bytes()), "imports its types");
        let module = engine.load(&engine.compile(&component).unwrap()).unwrap();
        assert_eq!(module.hooks(), 3);
        module.instance(budget()).request(&engine, &Request::new()).action();
    }
}

#[test]
fn an_embedded_component_type_wins() {
    // The module exports both hooks, its embedded world only one.
    use wit_component::StringEncoding;
    let engine = Engine::new(POOLED);
    let mut module = wasm(&guest("sgl:router", include_str!("guests/echo.wat")));
    let mut resolve = wit_parser::Resolve::default();
    let id = resolve.push_str("router.wit", include_str!("../wit/router_middleware.wit")).unwrap();
    let world = resolve.select_world(&[id], Some("request-only")).unwrap();
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    let module = engine.load(&engine.compile(&module).unwrap()).unwrap();
    assert_eq!(module.hooks(), 1);
}

#[test]
fn code_of_the_compiler_process_loads_in_the_pooling_engine() {
    let compiler = Engine::new(COMPILER);
    let server = Engine::new(POOLED);
    assert_eq!(compiler.fingerprint(), server.fingerprint());
    let code = compiler.compile(&wasm(&on_request("(i32.const 1024)"))).unwrap();
    drop(compiler);
    let module = server.load(&code).unwrap();
    module.instance(budget()).request(&server, &Request::new()).action();
}

#[test]
fn what_is_not_our_code_is_not_loaded() {
    let engine = Engine::new(POOLED);
    for bytes in [&b""[..], b"garbage", &wasm(&on_request("(i32.const 1024)"))] {
        assert_eq!(engine.load(bytes).unwrap_err().kind, ErrorKind::InvalidModule);
    }
    let code = engine.compile(&wasm(&on_request("(i32.const 1024)"))).unwrap();
    for end in [code.len() / 2, 100, 16] {
        let error = engine.load(&code[..end]).unwrap_err();
        assert!(matches!(error.kind, ErrorKind::InvalidModule | ErrorKind::Unsupported), "{error:?}");
    }
}

#[test]
fn fingerprints_tell_configurations_apart_that_compile_differently() {
    let engine = Engine::new(POOLED);
    assert_eq!(engine.fingerprint(), Engine::new(POOLED).fingerprint());
    let mut other = wasmtime::Config::new();
    other.concurrency_support(false);
    let without_epochs = sandgate_engine::engine::fingerprint(&wasmtime::Engine::new(&other).unwrap());
    other.epoch_interruption(true);
    let with_epochs = sandgate_engine::engine::fingerprint(&wasmtime::Engine::new(&other).unwrap());
    assert_ne!(without_epochs, with_epochs);
    assert_ne!(engine.fingerprint(), without_epochs);
}

#[test]
fn configurations_that_cannot_work_are_refused() {
    for options in [
        Options { memory_bytes_max: 0, ..POOLED },
        Options { memory_bytes_max: 100, ..POOLED },
        Options { memory_bytes_max: 8 << 30, ..POOLED },
        Options { instances_max: 0, ..POOLED },
        Options { instances_max: 1_000_000, ..POOLED },
    ] {
        assert_eq!(Engine::try_new(options).err().unwrap().kind, ErrorKind::Unsupported);
    }
    // The largest numbers that are allowed do start.
    drop(Engine::new(Options { instances_max: 12_000, memory_bytes_max: 4 << 30, ..POOLED }));
}
