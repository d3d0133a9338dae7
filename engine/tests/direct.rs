// SPDX-License-Identifier: Apache-2.0
//! The short way into simple guests: which have one, that it keeps nothing back when it says so, and that it is as strict as a component.

mod support;
use sandgate_engine::c_types::Poll;
use sandgate_engine::ffi::sg_instance_restore;
use support::*;

const PAGEMAP: Options = Options { pagemap_scan: true, ..POOLED };

fn is_direct(module: &Module<'_>) -> bool {
    unsafe { &*module.raw }.direct.is_some()
}

fn restore(instance: &Instance<'_>) -> bool {
    unsafe { sg_instance_restore(instance.raw) }
}

/// A guest of one module with more to it than its hook.
fn with(more: &str, body: &str) -> String {
    guest("sgl:router", &format!(r#"{more} (func (export "$PKG/middleware-on-request#on-request") {ON_REQUEST_PARAMS} {body})"#))
}

const ON_REQUEST_PARAMS: &str = "(param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i64) (result i32)";

/// Rejects with what it counted, in a global, in memory that began as zero, and in memory that began as something else.
const COUNTS: &str = r#"
  (i32.store (i32.const 70000) (i32.add (i32.load (i32.const 70000)) (i32.const 1)))
  (i32.store (i32.const 2048) (i32.add (i32.load (i32.const 2048)) (i32.const 1)))
  (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
  (i32.store8 (i32.const 1024) (i32.const 1))
  (i32.store16 (i32.const 1028)
    (i32.add (i32.const 200) (i32.add (global.get $calls) (i32.add (i32.load (i32.const 70000)) (i32.load (i32.const 2048))))))
  (i32.const 1024)"#;
const COUNTERS: &str = r#"(global $calls (mut i32) (i32.const 3)) (data (i32.const 2048) "\05\00\00\00")"#;

fn counted(engine: &Engine, instance: &mut Instance<'_>) -> u16 {
    instance.request(engine, &Request::new()).action().status.expect("a status")
}

#[test]
fn a_restored_guest_has_forgotten() {
    for options in [PAGEMAP, POOLED, COMPILER] {
        let engine = Engine::new(options);
        let module = engine.module(&with(COUNTERS, COUNTS)).unwrap();
        assert!(is_direct(&module));
        let mut instance = module.instance(budget());
        let first = counted(&engine, &mut instance);
        assert_eq!(first, 200 + 4 + 1 + 6);
        assert_eq!(counted(&engine, &mut instance), first + 3, "kept between calls");
        for _ in 0..3 {
            assert!(restore(&instance));
            assert!(!instance.has_action());
            assert_eq!(counted(&engine, &mut instance), first);
        }
        assert_eq!(counted(&engine, &mut instance), first + 3, "only what was asked for is put back");
    }
}

#[test]
fn what_a_call_was_given_is_gone() {
    let engine = Engine::new(PAGEMAP);
    // Answers 200 + how many bytes of the page that its allocator gives out first are not zero.
    let looks = r#"(local $at i32) (local $found i32)
      (local.set $at (i32.const 16384))
      (loop $l
        (local.set $found (i32.add (local.get $found) (i32.ne (i32.load8_u (local.get $at)) (i32.const 0))))
        (br_if $l (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 1))) (i32.const 20480))))
      (i32.store8 (i32.const 1024) (i32.const 1))
      (i32.store16 (i32.const 1028) (i32.add (i32.const 200) (local.get $found)))
      (i32.const 1024)"#;
    let module = engine.module(&with("", looks)).unwrap();
    let mut long = Request::new();
    long.headers = vec![header("x-secret", "0123456789012345678901234567890123456789"); 8];
    let mut instance = module.instance(budget());
    let short_only = instance.request(&engine, &Request::new()).action().status;
    assert!(restore(&instance));
    assert!(instance.request(&engine, &long).action().status > short_only);
    assert!(restore(&instance));
    assert_eq!(instance.request(&engine, &Request::new()).action().status, short_only);
}

#[test]
fn every_kind_of_global_is_put_back() {
    let globals = r#"
      (global $a (mut i64) (i64.const -7)) (global $b (mut f32) (f32.const 1.5)) (global $c (mut f64) (f64.const -2.5))
      (global $d (mut v128) (v128.const i32x4 1 2 3 4)) (global $e (mut funcref) (ref.null func)) (global $f (mut funcref) (ref.func $g))
      (global $k i32 (i32.const 9))
      (func $g)"#;
    let body = r#"(local $same i32)
      (local.set $same (i32.and
        (i32.and (i64.eq (global.get $a) (i64.const -7)) (f32.eq (global.get $b) (f32.const 1.5)))
        (i32.and (i32.and (f64.eq (global.get $c) (f64.const -2.5)) (i32x4.all_true (i32x4.eq (global.get $d) (v128.const i32x4 1 2 3 4))))
                 (i32.and (ref.is_null (global.get $e)) (i32.eqz (ref.is_null (global.get $f)))))))
      (global.set $a (i64.const 0)) (global.set $b (f32.const 0)) (global.set $c (f64.const 0)) (global.set $d (v128.const i32x4 0 0 0 0))
      (global.set $e (ref.func $g)) (global.set $f (ref.null func))
      (i32.store8 (i32.const 1024) (i32.const 1))
      (i32.store16 (i32.const 1028) (i32.add (i32.const 200) (local.get $same)))
      (i32.const 1024)"#;
    let engine = Engine::new(PAGEMAP);
    let module = engine.module(&with(globals, body)).unwrap();
    let mut instance = module.instance(budget());
    assert_eq!(counted(&engine, &mut instance), 201);
    assert_eq!(counted(&engine, &mut instance), 200);
    assert!(restore(&instance));
    assert_eq!(counted(&engine, &mut instance), 201);
}

#[test]
fn guests_that_keep_more_are_not_restored() {
    let plain = "(i32.const 1024)";
    let engine = Engine::new(PAGEMAP);
    for (what, more, body) in [
        ("a start function", "(func $s) (start $s)", plain),
        ("a table that changes", "(table 1 funcref) (func (table.set (i32.const 0) (ref.null func)))", plain),
        ("a table that grows", "(table 1 funcref) (func (drop (table.grow (ref.null func) (i32.const 1))))", plain),
        ("a dropped segment", r#"(data $d "x") (func (data.drop $d))"#, plain),
        ("memory that grew", "", "(drop (memory.grow (i32.const 1))) (i32.const 1024)"),
        (
            "memory written all over",
            "",
            "(local $at i32) (loop $l (i32.store (local.get $at) (i32.const 0))
               (br_if $l (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 4096))) (i32.const 600000)))) (i32.const 1024)",
        ),
    ] {
        let wat = with(more, body).replace("(memory (export \"memory\") 2)", "(memory (export \"memory\") 10)");
        let module = engine.module(&wat).unwrap();
        assert!(is_direct(&module), "{what}");
        let mut instance = module.instance(budget());
        instance.request(&engine, &Request::new()).action();
        assert!(!restore(&instance), "{what}");
    }
}

#[test]
fn nothing_is_restored_before_a_call_during_one_or_after_a_failure() {
    let engine = Engine::new(PAGEMAP);
    let module = engine.module(&with("", "(loop $l (br $l)) (unreachable)")).unwrap();
    let mut instance = module.instance(budget());
    assert!(!restore(&instance));
    instance.start_request(&Request::new()).unwrap();
    assert_eq!(engine.ticking(|| instance.poll().0), Poll::Yielded);
    assert!(!restore(&instance));
    let module = engine.module(&with("", "(unreachable)")).unwrap();
    let mut instance = module.instance(budget());
    instance.request(&engine, &Request::new()).error();
    assert!(!restore(&instance));
}

#[test]
fn guests_that_import_functions_have_no_short_way() {
    let engine = Engine::new(PAGEMAP);
    let wat = on_request("(i32.const 1024)")
        .replace("(module", r#"(module (import "wasi:logging/logging@0.1.0-draft" "log" (func (param i32 i32 i32 i32 i32)))"#);
    assert!(!is_direct(&engine.module(&wat).unwrap()));
}

#[test]
fn lists_go_in_whole_and_come_back_whole() {
    let engine = Engine::new(PAGEMAP);
    let module = engine.module(&guest("sgl:router", include_str!("guests/echo.wat"))).unwrap();
    assert!(is_direct(&module));
    let mut request = Request::new();
    let body: Vec<u8> = (0..100_000u32).map(|i| i as u8).collect();
    request.body = &body;
    let mut instance = module.instance(budget());
    for _ in 0..3 {
        let action = instance.request(&engine, &request).action();
        assert_eq!(action.body.as_deref(), Some(&body[..]));
        assert!(restore(&instance) || body.len() > 1);
    }
}
