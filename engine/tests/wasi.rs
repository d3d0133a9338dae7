// SPDX-License-Identifier: Apache-2.0
//! The WASI world without powers: output becomes log lines, clocks and random work, the rest is empty or denied.

mod support;
use sandgate_engine::budget::Budget;
use sandgate_engine::c_types::{LOG_LINES_PER_CALL_MAX, LogLevel, LogSource, Poll};
use std::time::{Duration, Instant};
use support::*;

/// A preview 1 guest; `code` may use the imports, `$print` and `$print_error` (address, length).
fn wasi_guest(data: &str, code: &str) -> String {
    let imports = r#"
      (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
      (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
      (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ_sizes_get (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "fd_prestat_get" (func $fd_prestat_get (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "path_open"
        (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))"#;
    let functions = format!(
        r#"(data (i32.const 4096) "{data}")
      (func $write (param $fd i32) (param $at i32) (param $len i32)
        (i32.store (i32.const 3000) (local.get $at))
        (i32.store (i32.const 3004) (local.get $len))
        (if (call $fd_write (local.get $fd) (i32.const 3000) (i32.const 1) (i32.const 3008)) (then (unreachable))))
      (func $print (param i32 i32) (call $write (i32.const 1) (local.get 0) (local.get 1)))
      (func $print_error (param i32 i32) (call $write (i32.const 2) (local.get 0) (local.get 1)))
      (func $reject (param $status i32) (result i32)
        (i32.store8 (i32.const 1024) (i32.const 1))
        (i32.store16 (i32.const 1028) (local.get $status))
        (i32.const 1024))"#
    );
    let text = on_request(code).replace("(module", &format!("(module {imports}"));
    format!("{} {functions})", text.strip_suffix(')').unwrap())
}

fn run(wat: &str, budget: Budget) -> (Outcome, Vec<String>) {
    let engine = Engine::new(POOLED);
    let module = engine.module(wat).expect("module");
    let log = Log::default();
    let outcome = engine.ticking(|| module.instance_with_log(budget, Some(&log)).request(&engine, &Request::new()));
    (outcome, log.text())
}

#[test]
fn output_becomes_lines_flushed_at_the_end() {
    let engine = Engine::new(POOLED);
    let wat = wasi_guest(
        "one\\ntwo\\n\\nrest",
        "(call $print (i32.const 4096) (i32.const 2)) (call $print (i32.const 4098) (i32.const 11))
         (call $print_error (i32.const 4096) (i32.const 4)) (i32.const 1024)",
    );
    let module = engine.module(&wat).unwrap();
    let log = Log::default();
    let mut instance = module.instance_with_log(budget(), Some(&log));
    for _ in 0..2 {
        instance.request(&engine, &Request::new()).action();
        let lines = std::mem::take(&mut *log.lines.lock().unwrap());
        let line = |error: bool, text: &str| Line {
            source: if error { LogSource::Stderr } else { LogSource::Stdout },
            level: if error { LogLevel::Warn } else { LogLevel::Info },
            context: String::new(),
            text: text.as_bytes().to_vec(),
        };
        assert_eq!(lines, [line(false, "one"), line(false, "two"), line(false, ""), line(true, "one"), line(false, "rest")]);
    }
}

#[test]
fn output_is_bounded_per_line_and_per_call() {
    // 10,000 bytes without a newline.
    let (outcome, lines) = run(
        &wasi_guest(
            "",
            "(memory.fill (i32.const 8192) (i32.const 120) (i32.const 4096))
        (call $print (i32.const 8192) (i32.const 4096)) (call $print (i32.const 8192) (i32.const 4096))
        (call $print (i32.const 8192) (i32.const 1808)) (i32.const 1024)",
        ),
        budget(),
    );
    outcome.action();
    assert_eq!(lines.iter().map(String::len).collect::<Vec<_>>(), [4096, 4096, 1808]);
    // 100 lines.
    let (outcome, lines) = run(&wasi_guest("x\\n", "(local.set $i (i32.const 100))
        (loop $l (call $print (i32.const 4096) (i32.const 2)) (local.set $i (i32.sub (local.get $i) (i32.const 1))) (br_if $l (local.get $i)))
        (i32.const 1024)"), budget());
    outcome.action();
    assert_eq!(lines.len() as u32, LOG_LINES_PER_CALL_MAX + 1);
    assert_eq!(lines.last().unwrap(), "(output limit reached)");
}

#[test]
fn output_of_a_call_that_fails_is_kept() {
    let (outcome, lines) = run(&wasi_guest("last words", "(call $print (i32.const 4096) (i32.const 10)) (unreachable)"), budget());
    assert_eq!(outcome.error().kind, ErrorKind::Trap);
    assert_eq!(lines, ["last words"]);
}

#[test]
fn exit_is_an_error_of_its_own() {
    for status in ["0", "3"] {
        let (outcome, _) = run(&wasi_guest("", &format!("(call $proc_exit (i32.const {status})) (unreachable)")), budget());
        assert_eq!(outcome.error().kind, ErrorKind::Exit);
    }
}

#[test]
fn clocks_and_random_work() {
    let (outcome, _) = run(
        &wasi_guest(
            "",
            "(if (call $random_get (i32.const 5000) (i32.const 8)) (then (unreachable)))
             (if (i64.eqz (i64.load (i32.const 5000))) (then (unreachable)))
             (if (call $clock_time_get (i32.const 0) (i64.const 1) (i32.const 5008)) (then (unreachable)))
             (if (i64.lt_u (i64.load (i32.const 5008)) (i64.const 1600000000000000000)) (then (unreachable)))
             (if (call $clock_time_get (i32.const 1) (i64.const 1) (i32.const 5008)) (then (unreachable)))
             (i32.const 1024)",
        ),
        budget(),
    );
    outcome.action();
}

#[test]
fn random_in_large_pieces_is_refused() {
    let (outcome, _) = run(
        &wasi_guest(
            "",
            "(drop (memory.grow (i32.const 100))) (drop (call $random_get (i32.const 65536) (i32.const 5000000))) (i32.const 1024)",
        ),
        budget(),
    );
    let error = outcome.error();
    assert_eq!((error.kind, error.trap.as_str()), (ErrorKind::Trap, "host call failed"), "{error:?}");
}

#[test]
fn there_is_nothing_to_read() {
    let (outcome, _) = run(
        &wasi_guest(
            "etc/passwd",
            ";; no environment, no arguments
             (drop (call $environ_sizes_get (i32.const 5000) (i32.const 5004)))
             (drop (call $args_sizes_get (i32.const 5008) (i32.const 5012)))
             (if (i32.or (i32.load (i32.const 5000)) (i32.load (i32.const 5008))) (then (unreachable)))
             ;; no directory, nothing to open
             (if (i32.eqz (call $fd_prestat_get (i32.const 3) (i32.const 5016))) (then (unreachable)))
             (if (i32.eqz (call $path_open (i32.const 3) (i32.const 0) (i32.const 4096) (i32.const 10) (i32.const 0)
                                           (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 5024))) (then (unreachable)))
             ;; standard input is at its end
             (i32.store (i32.const 3000) (i32.const 6000)) (i32.store (i32.const 3004) (i32.const 100))
             (drop (call $fd_read (i32.const 0) (i32.const 3000) (i32.const 1) (i32.const 3008)))
             (if (i32.load (i32.const 3008)) (then (unreachable)))
             (i32.const 1024)",
        ),
        budget(),
    );
    outcome.action();
}

/// poll_oneoff on the monotonic clock for `nanoseconds`.
fn sleeper(nanoseconds: u64) -> String {
    wasi_guest(
        "",
        &format!(
            "(i32.store8 (i32.const 5008) (i32.const 0)) (i32.store (i32.const 5016) (i32.const 1))
             (i64.store (i32.const 5024) (i64.const {nanoseconds}))
             (if (call $poll_oneoff (i32.const 5000) (i32.const 5100) (i32.const 1) (i32.const 5200)) (then (unreachable)))
             (i32.const 1024)"
        ),
    )
}

#[test]
fn a_sleeping_guest_waits_and_is_woken() {
    let engine = Engine::new(POOLED);
    let module = engine.module(&sleeper(20_000_000)).unwrap();
    let mut instance = module.instance(budget());
    instance.start_request(&Request::new()).unwrap();
    let start = Instant::now();
    assert_eq!(instance.poll().0, Poll::Waiting);
    let woken = || engine.wakes.0.lock().unwrap().contains(&instance.token);
    while !woken() && start.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(woken() && start.elapsed() >= Duration::from_millis(15));
    instance.finish(&engine).action();
    assert_eq!(engine.wakes.0.lock().unwrap().len(), 1, "one wait, one wake-up");
}

#[test]
fn a_waiting_guest_ends_at_its_deadline() {
    let engine = Engine::new(POOLED);
    let module = engine.module(&sleeper(60_000_000_000)).unwrap();
    let mut instance = module.instance(Budget { wall_ns: 30_000_000, ..budget() });
    instance.start_request(&Request::new()).unwrap();
    assert_eq!(instance.poll().0, Poll::Waiting);
    std::thread::sleep(Duration::from_millis(40));
    let (code, error) = instance.poll();
    assert_eq!((code, error.unwrap().kind), (Poll::Failed, ErrorKind::Deadline));
}

#[test]
fn a_waiting_guest_can_be_dropped_and_costs_no_cpu() {
    let engine = Engine::new(Options { instances_max: 1, ..POOLED });
    let module = engine.module(&sleeper(60_000_000_000)).unwrap();
    for _ in 0..20 {
        let mut instance = module.instance(Budget { cpu_ns: 1_000_000_000, ..budget() });
        instance.start_request(&Request::new()).unwrap();
        assert_eq!(instance.poll().0, Poll::Waiting);
        assert!(instance.busy_ns() < 1_000_000_000);
    }
}

/// A guest that imports sockets and outgoing HTTP, as a component.
fn network_guest(code: &str) -> Vec<u8> {
    let imports = r#"
      (import "wasi:sockets/tcp-create-socket@0.2.0" "create-tcp-socket" (func $create_tcp_socket (param i32 i32)))
      (import "wasi:http/types@0.2.0" "[constructor]fields" (func $fields (result i32)))
      (import "wasi:http/types@0.2.0" "[constructor]outgoing-request" (func $outgoing_request (param i32) (result i32)))
      (import "wasi:http/types@0.2.0" "[method]outgoing-request.set-authority" (func $set_authority (param i32 i32 i32 i32) (result i32)))
      (import "wasi:http/types@0.2.0" "[method]outgoing-request.set-path-with-query" (func $set_path (param i32 i32 i32 i32) (result i32)))
      (import "wasi:http/types@0.2.0" "[method]future-incoming-response.subscribe" (func $subscribe (param i32) (result i32)))
      (import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))
      (import "wasi:http/types@0.2.0" "[method]future-incoming-response.get" (func $get (param i32 i32)))
      (import "wasi:http/outgoing-handler@0.2.0" "handle" (func $handle (param i32 i32 i32 i32)))"#;
    let text = on_request(code).replace("(module", &format!("(module {imports} (data (i32.const 4096) \"127.0.0.1:9/\")"));
    let mut module = wat::parse_str(&text).unwrap();
    let mut resolve = wit_parser::Resolve::default();
    resolve.push_str("router.wit", include_str!("../wit/router_middleware.wit")).unwrap();
    let id = resolve.push_str("network.wit", include_str!("guests/network.wit")).unwrap();
    let world = resolve.select_world(&[id], Some("guest")).unwrap();
    wit_component::embed_component_metadata(&mut module, &resolve, world, wit_component::StringEncoding::UTF8).unwrap();
    module
}

#[test]
fn sockets_and_outgoing_requests_are_denied() {
    let engine = Engine::new(POOLED);
    let run = |code: &str| {
        let module = engine.load(&engine.compile(&network_guest(code)).unwrap()).unwrap();
        engine.ticking(|| module.instance(budget()).request(&engine, &Request::new())).action();
    };
    // error-code 1 is access-denied.
    run("(call $create_tcp_socket (i32.const 0) (i32.const 5000))
         (if (i32.ne (i32.load8_u (i32.const 5000)) (i32.const 1)) (then (unreachable)))
         (if (i32.ne (i32.load8_u (i32.const 5004)) (i32.const 1)) (then (unreachable)))
         (i32.const 1024)");
    // A request to a port where nothing may even be tried: error-code 15 is HTTP-request-denied.
    run("(local.set $i (call $outgoing_request (call $fields)))
         (if (call $set_authority (local.get $i) (i32.const 1) (i32.const 4096) (i32.const 11)) (then (unreachable)))
         (if (call $set_path (local.get $i) (i32.const 1) (i32.const 4107) (i32.const 1)) (then (unreachable)))
         (call $handle (local.get $i) (i32.const 0) (i32.const 0) (i32.const 5000))
         (if (i32.load8_u (i32.const 5000)) (then (unreachable)))
         (local.set $i (i32.load (i32.const 5008)))
         (call $block (call $subscribe (local.get $i)))
         (call $get (local.get $i) (i32.const 5200))
         (if (i32.eqz (i32.load8_u (i32.const 5200))) (then (unreachable)))
         (if (i32.load8_u (i32.const 5208)) (then (unreachable)))
         (if (i32.ne (i32.load8_u (i32.const 5216)) (i32.const 1)) (then (unreachable)))
         (if (i32.ne (i32.load8_u (i32.const 5224)) (i32.const 15)) (then (unreachable)))
         (i32.const 1024)");
}

#[test]
fn a_guest_cannot_hold_resources_without_bound() {
    let engine = Engine::new(POOLED);
    let code = "(loop $l (drop (call $fields)) (br $l)) (unreachable)";
    let module = engine.load(&engine.compile(&network_guest(code)).unwrap()).unwrap();
    let error = engine.ticking(|| module.instance(budget()).request(&engine, &Request::new())).error();
    assert_eq!(error.kind, ErrorKind::Trap, "{error:?}");
}

#[test]
fn the_adapter_takes_no_memory_from_a_runtime_that_has_not_begun() {
    // As Go does it: the allocator works once `_initialize` is done, which itself calls preview 1.
    let wat = r#"(module
      (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
      (memory (export "memory") 1)
      (global $begun (mut i32) (i32.const 0))
      (global $next (mut i32) (i32.const 4096))
      (func (export "_initialize")
        (if (call $args_sizes_get (i32.const 0) (i32.const 4)) (then (unreachable)))
        (global.set $begun (i32.const 1)))
      (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
        (if (i32.eqz (global.get $begun)) (then (unreachable)))
        (global.set $next (i32.and (i32.add (global.get $next) (i32.add (local.get 3) (i32.const 15))) (i32.const -8)))
        (i32.and (i32.sub (global.get $next) (local.get 3)) (i32.const -8)))
      (func (export "sgl:router/middleware-on-request#on-request")
        (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i64) (result i32)
        (i32.store8 (i32.const 1024) (i32.const 1))
        (i32.store16 (i32.const 1028) (i32.const 418))
        (i32.const 1024)))"#;
    let (outcome, _) = run(wat, budget());
    assert_eq!(outcome.action().status, Some(418));
}
