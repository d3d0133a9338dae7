// SPDX-License-Identifier: Apache-2.0
//! Ends of instances: dropped while yielded or inside their own callback, many over one pool, more than the pool has.

mod support;
use sandgate_engine::budget::Budget;
use sandgate_engine::c_types::Poll;
use support::*;

const ONE: Options = Options { instances_max: 1, ..POOLED };

fn spin_until_yield(engine: &Engine, instance: &mut Instance<'_>) {
    instance.start_request(&Request::new()).unwrap();
    assert_eq!(engine.ticking(|| instance.poll().0), Poll::Yielded);
}

#[test]
fn dropping_a_yielded_call_frees_its_place() {
    let engine = Engine::new(ONE);
    let module = engine.module(&on_request("(loop $l (br $l)) (unreachable)")).unwrap();
    for _ in 0..20 {
        let mut instance = module.instance(budget());
        spin_until_yield(&engine, &mut instance);
    }
}

#[test]
fn a_full_pool_is_a_capacity_error() {
    let engine = Engine::new(ONE);
    let module = engine.module(&on_request("(i32.const 1024)")).unwrap();
    let mut first = module.instance(budget());
    first.request(&engine, &Request::new()).action();
    let error = module.instance(budget()).request(&engine, &Request::new()).error();
    assert_eq!(error.kind, ErrorKind::Capacity, "{error:?}");
    first.request(&engine, &Request::new()).action();
    drop(first);
    module.instance(budget()).request(&engine, &Request::new()).action();
}

#[test]
fn a_small_pool_serves_many_calls_whatever_their_end() {
    let engine = Engine::new(Options { instances_max: 3, pagemap_scan: true, ..POOLED });
    let good = engine.module(&guest("sgl:router", include_str!("guests/echo.wat"))).unwrap();
    let trap = engine.module(&on_request("(unreachable)")).unwrap();
    let endless = engine.module(&on_request("(loop $l (br $l)) (unreachable)")).unwrap();
    let limited = Budget { wall_ns: 1_000_000, ..budget() };
    for round in 0..600 {
        good.instance(budget()).request(&engine, &Request::new()).action();
        trap.instance(budget()).request(&engine, &Request::new()).error();
        drop(good.instance(budget()));
        let mut started = good.instance(budget());
        started.start_request(&Request::new()).unwrap();
        drop(started);
        if round % 60 == 0 {
            let mut instance = endless.instance(limited);
            assert_eq!(engine.ticking(|| instance.request(&engine, &Request::new())).error().kind, ErrorKind::Deadline);
        }
    }
}

#[test]
fn a_failed_instance_gives_its_place_back_before_it_is_dropped() {
    let engine = Engine::new(ONE);
    let trap = engine.module(&on_request("(unreachable)")).unwrap();
    let good = engine.module(&on_request("(i32.const 1024)")).unwrap();
    let mut failed = trap.instance(budget());
    failed.request(&engine, &Request::new()).error();
    good.instance(budget()).request(&engine, &Request::new()).action();
}

#[test]
fn a_drop_inside_a_callback_takes_effect_when_the_poll_returns() {
    let engine = Engine::new(ONE);
    let wat = on_request(
        "(i32.store (i32.const 3000) (i32.const 4096)) (i32.store (i32.const 3004) (i32.const 1))
         (drop (call $fd_write (i32.const 1) (i32.const 3000) (i32.const 1) (i32.const 3008)))
         (i32.const 1024)",
    )
    .replace(
        "(module",
        r#"(module (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
           (data (i32.const 4096) "\0a")"#,
    );
    let module = engine.module(&wat).unwrap();
    for _ in 0..3 {
        let log = Log::default();
        let mut instance = module.instance_with_log(budget(), Some(&log));
        *log.drop_at_first_line.lock().unwrap() = instance.raw as usize;
        instance.start_request(&Request::new()).unwrap();
        let (code, error) = instance.poll();
        assert_eq!((code, error.unwrap().kind), (Poll::Failed, ErrorKind::Cancelled));
        assert_eq!(log.text(), [""]);
        instance.forget();
    }
}

#[test]
fn modules_outlive_their_handle_while_instances_run() {
    let engine = Engine::new(POOLED);
    let module = engine.module(&on_request("(i32.const 1024)")).unwrap();
    let mut instance = module.instance(budget());
    // As C++ would: the release of the module by its last holder does not end calls that run.
    let again = engine.module(&on_request("(i32.const 1024)")).unwrap();
    drop(again);
    instance.request(&engine, &Request::new()).action();
}

#[test]
fn null_may_be_dropped() {
    unsafe { sandgate_engine::ffi::sg_instance_drop(std::ptr::null_mut()) }
}

#[test]
fn many_threads_share_one_engine() {
    let engine = Engine::new(Options { instances_max: 8, ..POOLED });
    let module = engine.module(&guest("sgl:router", include_str!("guests/echo.wat"))).unwrap();
    struct Shared<'a>(&'a Module<'a>);
    unsafe impl Sync for Shared<'_> {}
    let shared = Shared(&module);
    engine.ticking(|| {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let shared = &shared;
                    sandgate_engine::ffi::sg_engine_thread_init();
                    for _ in 0..500 {
                        shared.0.instance(budget()).request(&engine, &Request::new()).action();
                    }
                });
            }
        });
    });
}
