// SPDX-License-Identifier: Apache-2.0
//! Guests that misbehave: each ends as an error of the right kind, and its poller keeps control.

mod support;
use sandgate_engine::budget::Budget;
use std::time::{Duration, Instant};
use support::*;

/// Generous: these machines are shared. The point is that it ends.
const LATE: Duration = Duration::from_secs(5);

fn run(engine: &Engine, budget: Budget, wat: &str) -> Outcome {
    let module = engine.module(wat).expect("module");
    engine.ticking(|| module.instance(budget).request(engine, &Request::new()))
}

#[test]
fn an_endless_loop_yields_each_tick_and_ends_at_its_deadline() {
    let engine = Engine::new(POOLED);
    let limited = Budget { wall_ns: 60_000_000, ..budget() };
    let start = Instant::now();
    let outcome = run(&engine, limited, &on_request("(loop $l (br $l)) (unreachable)"));
    assert!(start.elapsed() >= Duration::from_millis(60) && start.elapsed() < LATE, "{:?}", start.elapsed());
    assert!(outcome.yields > 1, "{outcome:?}");
    assert_eq!(outcome.error().kind, ErrorKind::Deadline);
}

#[test]
fn a_cpu_budget_ends_a_loop_before_its_deadline() {
    let engine = Engine::new(POOLED);
    let limited = Budget { cpu_ns: 20_000_000, wall_ns: 60_000_000_000, ..budget() };
    let module = engine.module(&on_request("(loop $l (br $l)) (unreachable)")).unwrap();
    let mut instance = module.instance(limited);
    let outcome = engine.ticking(|| instance.request(&engine, &Request::new()));
    assert!(outcome.yields > 1, "{outcome:?}");
    assert!(instance.busy_ns() >= 20_000_000);
    assert_eq!(outcome.error().kind, ErrorKind::Cpu);
}

#[test]
fn start_functions_and_reallocs_are_under_the_same_budget() {
    let engine = Engine::new(POOLED);
    let limited = Budget { wall_ns: 30_000_000, ..budget() };
    let endless = "(func $spin (loop $l (br $l)))";
    let start = on_request("(i32.const 1024)").replace("(module", &format!("(module {endless} (start $spin)"));
    assert_eq!(run(&engine, limited, &start).error().kind, ErrorKind::Deadline);

    let realloc = on_request("(i32.const 1024)").replace("(local.set $at", "(loop $l (br $l)) (local.set $at");
    assert_eq!(run(&engine, limited, &realloc).error().kind, ErrorKind::Deadline);

    let post = format!("{endless} (func (export \"cabi_post_$PKG/middleware-on-request#on-request\") (param i32) (call $spin))");
    let post = on_request("(i32.const 1024)").replacen(
        "(func (export",
        &format!("{} (func (export", post.replace("$PKG", "sgl:router")),
        1,
    );
    assert_eq!(run(&engine, limited, &post).error().kind, ErrorKind::Deadline);
}

#[test]
fn traps_are_named_and_spend_the_instance() {
    let engine = Engine::new(POOLED);
    for (code, name) in [
        ("(unreachable)", "unreachable"),
        ("(i32.load (i32.const -1))", "out of bounds memory access"),
        ("(i32.div_u (i32.const 1) (i32.const 0))", "integer divide by zero"),
        ("(i32.trunc_f32_s (f32.const nan))", "invalid conversion to integer"),
    ] {
        let module = engine.module(&on_request(code)).unwrap();
        let mut instance = module.instance(budget());
        let error = instance.request(&engine, &Request::new()).error();
        assert_eq!((error.kind, error.trap.as_str()), (ErrorKind::Trap, name), "{error:?}");
        assert!(!instance.has_action());
        assert_eq!(instance.start_request(&Request::new()).unwrap_err().kind, ErrorKind::Internal);
    }
}

#[test]
fn endless_recursion_is_a_stack_error() {
    let engine = Engine::new(POOLED);
    let wat = on_request("(call $deep (i32.const 1))")
        .replace("(module", "(module (func $deep (param i32) (result i32) (i32.add (i32.const 1) (call $deep (local.get 0))))");
    assert_eq!(run(&engine, budget(), &wat).error().kind, ErrorKind::Stack);
}

#[test]
fn memory_beyond_the_budget_is_refused() {
    let engine = Engine::new(POOLED);
    let grow = "(loop $l (br_if $l (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))";
    // One that traps because of it.
    let module = engine.module(&on_request(&format!("{grow} (unreachable)"))).unwrap();
    let limited = Budget { memory_bytes: 3 * MIB, ..budget() };
    let mut instance = module.instance(limited);
    let error = instance.request(&engine, &Request::new()).error();
    assert_eq!(error.kind, ErrorKind::Memory, "{error:?}");
    assert_eq!(instance.memory_peak(), 3 * MIB);
    // One that copes.
    let module = engine.module(&on_request(&format!("{grow} (i32.const 1024)"))).unwrap();
    module.instance(limited).request(&engine, &Request::new()).action();
    // A budget above what the process allows: the pool's slot is the limit.
    let module = engine.module(&on_request(&format!("{grow} (unreachable)"))).unwrap();
    let mut instance = module.instance(Budget { memory_bytes: 1 << 40, ..budget() });
    assert_eq!(instance.request(&engine, &Request::new()).error().kind, ErrorKind::Memory);
    assert_eq!(instance.memory_peak(), POOLED.memory_bytes_max);
}

#[test]
fn memory_that_begins_too_large_is_refused() {
    let engine = Engine::new(POOLED);
    let wat = on_request("(i32.const 1024)").replace("(memory (export \"memory\") 2)", "(memory (export \"memory\") 100)");
    let error = run(&engine, Budget { memory_bytes: MIB, ..budget() }, &wat).error();
    assert_eq!(error.kind, ErrorKind::Memory, "{error:?}");
    // Larger than any module of the process may have: known without running it.
    let wat = wat.replace("100)", "2000)");
    assert_eq!(engine.module(&wat).unwrap_err().kind, ErrorKind::Unsupported);
}

#[test]
fn tables_cannot_grow_without_bound() {
    let engine = Engine::new(POOLED);
    let wat = on_request("(drop (table.grow $t (ref.null func) (i32.const 10000000))) (unreachable)")
        .replace("(module", "(module (table $t 1 funcref)");
    assert_eq!(run(&engine, budget(), &wat).error().kind, ErrorKind::Memory);
}

#[test]
fn a_realloc_that_lies_is_a_bad_result() {
    let engine = Engine::new(POOLED);
    for at in ["0xfffffff0", "1"] {
        let wat = on_request("(i32.const 1024)").replace("(local.get $at))", &format!("(drop (local.get $at)) (i32.const {at}))"));
        let error = run(&engine, budget(), &wat).error();
        assert_eq!(error.kind, ErrorKind::BadResult, "{at}: {error:?}");
    }
}

#[test]
fn results_that_break_the_canonical_abi_are_bad_results() {
    let engine = Engine::new(POOLED);
    let modify = "(i32.store8 (i32.const 1024) (i32.const 2))";
    for code in [
        "(i32.const 0xfffff000)".to_owned(), // pointer out of bounds
        "(i32.const 1025)".to_owned(),       // misaligned
        "(i32.store8 (i32.const 1024) (i32.const 9)) (i32.const 1024)".to_owned(), // discriminant of action
        format!("{modify} (i32.store8 (i32.const 1028) (i32.const 7)) (i32.const 1024)"), // discriminant of option
        format!(
            "{modify} (i32.store (i32.const 1032) (i32.const 131000)) (i32.store (i32.const 1036) (i32.const 100)) (i32.const 1024)"
        ),
        format!(
            "{modify} (i32.store (i32.const 1032) (i32.const 2050)) (i32.store (i32.const 1036) (i32.const 1)) (i32.const 1024)"
        ),
        // A name of one byte that is no UTF-8.
        format!(
            "{modify} (i32.store (i32.const 1032) (i32.const 1100)) (i32.store (i32.const 1036) (i32.const 1))
             (i32.store (i32.const 1100) (i32.const 2048)) (i32.store (i32.const 1104) (i32.const 1))
             (i32.store8 (i32.const 2048) (i32.const 0xff)) (i32.const 1024)"
        ),
        // A name beyond the memory.
        format!(
            "{modify} (i32.store (i32.const 1032) (i32.const 1100)) (i32.store (i32.const 1036) (i32.const 1))
             (i32.store (i32.const 1100) (i32.const 131071)) (i32.store (i32.const 1104) (i32.const 2)) (i32.const 1024)"
        ),
        format!(
            "{modify} (i32.store8 (i32.const 1056) (i32.const 1)) (i32.store (i32.const 1060) (i32.const 131071))
             (i32.store (i32.const 1064) (i32.const 2)) (i32.const 1024)"
        ),
    ] {
        let error = run(&engine, budget(), &on_request(&code)).error();
        assert_eq!(error.kind, ErrorKind::BadResult, "{code}: {error:?}");
        assert!(!error.message.is_empty() && error.trap.is_empty());
    }
}

#[test]
fn results_beyond_the_budget_are_too_large() {
    let engine = Engine::new(POOLED);
    let grow = "(drop (memory.grow (i32.const 200)))";
    for code in [
        format!(
            "{grow} (i32.store8 (i32.const 1024) (i32.const 2)) (i32.store8 (i32.const 1056) (i32.const 1))
             (i32.store (i32.const 1064) (i32.const 12000000)) (i32.const 1024)"
        ),
        format!(
            "{grow} (i32.store8 (i32.const 1024) (i32.const 2)) (i32.store (i32.const 1032) (i32.const 8192))
             (i32.store (i32.const 1036) (i32.const 500000)) (i32.const 1024)"
        ),
    ] {
        let error = run(&engine, budget(), &on_request(&code)).error();
        assert_eq!(error.kind, ErrorKind::TooLarge, "{error:?}");
    }
}
