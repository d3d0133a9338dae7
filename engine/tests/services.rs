// SPDX-License-Identifier: Apache-2.0
//! Logging, configuration, and what is not granted.

mod support;
use sandgate_engine::c_types::{Grants, LOG_CONTEXT_BYTES_MAX, LOG_LINE_BYTES_MAX, LOG_LINES_PER_CALL_MAX, LogLevel, LogSource};
use support::services::*;
use support::*;

fn logging_guest(data: &str, code: &str) -> Vec<u8> {
    let import = r#"(import "wasi:logging/logging@0.1.0-draft" "log" (func $log (param i32 i32 i32 i32 i32)))"#;
    importing_guest(&["wasi:logging/logging@0.1.0-draft"], import, data, code)
}

fn log_of(wasm: &[u8]) -> Vec<Line> {
    let engine = Engine::new(POOLED);
    let module = engine.load(&engine.compile(wasm).unwrap()).unwrap();
    let log = Log::default();
    module.instance_with_log(budget(), Some(&log)).request(&engine, &Request::new()).action();
    log.lines.into_inner().unwrap()
}

#[test]
fn logging_is_always_linked_and_becomes_lines_with_a_level() {
    let levels = [LogLevel::Trace, LogLevel::Debug, LogLevel::Info, LogLevel::Warn, LogLevel::Error, LogLevel::Critical];
    let code: String = (0..6)
        .map(|level| format!("(call $log (i32.const {level}) (i32.const 4096) (i32.const 4) (i32.const 4100) (i32.const 8))"))
        .collect();
    let lines = log_of(&logging_guest("authone\\ntwo\\n", &format!("{code} (i32.const 1024)")));
    assert_eq!(lines.len(), 12);
    for (line, at) in lines.iter().zip(0..) {
        assert_eq!((line.source, line.level, line.context.as_str()), (LogSource::Logging, levels[at / 2], "auth"));
        assert_eq!(line.text, if at % 2 == 0 { "one" } else { "two" }.as_bytes());
    }
}

#[test]
fn messages_are_bounded_and_cut_at_characters() {
    // 'ä' is two bytes, and the limits fall into the middle of one.
    let fill = "(loop $l (i32.store16 (i32.add (i32.const 10001) (local.get $i)) (i32.const 0xa4c3))
        (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 2))) (i32.const 10000))))
        (i32.store8 (i32.const 10000) (i32.const 120))";
    let lines = log_of(&logging_guest(
        "",
        &format!(
            "{fill} (call $log (i32.const 2) (i32.const 10000) (i32.const 101) (i32.const 10000) (i32.const 9001)) (i32.const 1024)"
        ),
    ));
    assert!(lines.iter().all(|line| line.context.len() == LOG_CONTEXT_BYTES_MAX - 1));
    assert_eq!(lines.iter().map(|line| line.text.len()).collect::<Vec<_>>(), [LOG_LINE_BYTES_MAX - 1, LOG_LINE_BYTES_MAX, 810]);
    assert!(lines.iter().all(|line| std::str::from_utf8(&line.text).is_ok()));
    // An empty message is an empty line; a hundred lines in one message meet the limit of the call.
    let lines = log_of(&logging_guest(
        "",
        "(call $log (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)) (i32.const 1024)",
    ));
    assert_eq!(lines.len(), 1);
    let lines = log_of(&logging_guest(
        &"\\n".repeat(200),
        "(call $log (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 4096) (i32.const 200))
         (call $log (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 4096) (i32.const 200)) (i32.const 1024)",
    ));
    assert_eq!(lines.len() as u32, LOG_LINES_PER_CALL_MAX + 1);
    assert_eq!(lines.last().unwrap().text, b"(output limit reached)");
}

fn config_guest(interface: &str, code: &str) -> Vec<u8> {
    let imports = r#"(import "wasi:config/store@V" "get" (func $get (param i32 i32 i32)))
                     (import "wasi:config/store@V" "get-all" (func $get_all (param i32)))"#
        .replace("wasi:config/store@V", interface);
    importing_guest(&[interface], &imports, "colourshape", code)
}

#[test]
fn configuration_is_what_was_granted() {
    let engine = Engine::new(POOLED);
    let entries = [header("colour", "blau"), header("größe", "42"), header("colour", "later")];
    let grants = Grants { key_value: false, config: true, config_entries: entries.as_ptr(), config_len: entries.len() };
    for interface in ["wasi:config/store@0.2.0-rc.1", "wasi:config/store@0.2.0-draft"] {
        let wasm = config_guest(
            interface,
            "(call $get (i32.const 4102) (i32.const 5) (i32.const 5000)) (call $ok (i32.const 5000))
             (if (i32.load8_u (i32.const 5004)) (then (unreachable)))
             (call $get_all (i32.const 5000)) (call $ok (i32.const 5000))
             (if (i32.ne (i32.load (i32.const 5008)) (i32.const 3)) (then (unreachable)))
             (if (i32.ne (i32.load offset=20 (i32.load (i32.const 5004))) (i32.const 7)) (then (unreachable)))
             (call $get (i32.const 4096) (i32.const 6) (i32.const 5000)) (call $ok (i32.const 5000))
             (call $body (i32.load (i32.const 5008)) (i32.load (i32.const 5012)))",
        );
        let code = engine.compile(&wasm).unwrap();
        let module = engine.load_granted(&code, Some(&grants)).unwrap();
        for _ in 0..2 {
            let action = module.instance(budget()).request(&engine, &Request::new()).action();
            assert_eq!(action.body.as_deref(), Some(&b"blau"[..]));
        }
        // Granted without an entry is granted.
        let empty = Grants { config_len: 0, config_entries: std::ptr::null(), ..grants };
        engine.load_granted(&code, Some(&empty)).unwrap();
        let error = engine.load(&code).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Link);
        assert!(error.message.contains(interface) && error.message.contains(r#""config": {"#), "{}", error.message);
    }
}

#[test]
fn what_is_not_granted_is_refused_with_the_line_that_would_allow_it() {
    let engine = Engine::new(POOLED);
    let nothing = Grants { key_value: false, config: false, config_entries: std::ptr::null(), config_len: 0 };
    for version in ["0.2.0-draft", "0.2.0-draft2"] {
        for interface in ["store", "batch", "atomics"] {
            let name = format!("wasi:keyvalue/{interface}@{version}");
            let component = wat::parse_str(format!("(component (import \"{name}\" (instance)))")).unwrap();
            let code = engine.compile(&component).unwrap();
            for grants in [None, Some(&nothing)] {
                let error = engine.load_granted(&code, grants).unwrap_err();
                assert_eq!(error.kind, ErrorKind::Link);
                assert!(error.message.contains(&name), "{}", error.message);
                assert!(error.message.contains(r#""allow": {"key_value": ["NAME"]}"#), "{}", error.message);
            }
        }
    }
    // A version that nobody serves is refused even when the service is granted.
    let component =
        wat::parse_str("(component (import \"wasi:keyvalue/store@0.3.0\" (instance (export \"open\" (func)))))").unwrap();
    let error = engine.load_granted(&engine.compile(&component).unwrap(), Some(&GRANT_KEY_VALUE)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Link);
    assert!(error.message.contains("wasi:keyvalue/store@0.3.0"), "{}", error.message);
}
