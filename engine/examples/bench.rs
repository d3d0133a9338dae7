// SPDX-License-Identifier: Apache-2.0
//! What a call costs through the C interface: `cargo run --release --example bench`. Prints, asserts nothing.

#[path = "../tests/support/mod.rs"]
mod support;
use sandgate_engine::budget::Budget;
use sandgate_engine::c_types::{self, Poll};
use sandgate_engine::ffi::*;
use std::ptr::null_mut;
use support::*;

const ROUNDS: u32 = 20_000;

/// Sets one field, like a small real middleware; leaves the body alone.
const SETS_A_FIELD: &str = r#"
  (data (i32.const 2048) "x-wasm-processedtrue")
  (data (i32.const 1100) "\00\08\00\00\10\00\00\00\10\08\00\00\04\00\00\00")
  (func (export "$PKG/middleware-on-request#on-request")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i64) (result i32)
    (i32.store8 (i32.const 1024) (i32.const 2))
    (i32.store (i32.const 1032) (i32.const 1100))
    (i32.store (i32.const 1036) (i32.const 1))
    (i32.const 1024))
  (func (export "$PKG/middleware-on-response#on-response") (param i32 i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "cabi_post_$PKG/middleware-on-request#on-request") (param i32) (global.set $top (i32.const 16384)))"#;

/// CPU time of this thread: what the other users of the machine do counts less than on the wall clock.
fn cpu_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

fn time(what: &str, mut round: impl FnMut()) {
    for _ in 0..ROUNDS / 20 {
        round();
    }
    let mut best = u64::MAX;
    for _ in 0..10 {
        let start = cpu_ns();
        for _ in 0..ROUNDS / 10 {
            round();
        }
        best = best.min((cpu_ns() - start) / u64::from(ROUNDS / 10));
    }
    println!("{what:58} {:>8.2} us", best as f64 / 1e3);
}

/// The bare functions, as C++ calls them.
fn call(instance: *mut InstanceHandle, request: &c_types::Request) -> Poll {
    let mut error = null_mut();
    unsafe {
        assert!(sg_instance_start_on_request(instance, request).is_null());
        loop {
            match sg_instance_poll(instance, &mut error) {
                Poll::Yielded => {}
                Poll::Failed => {
                    sg_error_drop(error);
                    return Poll::Failed;
                }
                end => {
                    std::hint::black_box(sg_instance_action(instance));
                    return end;
                }
            }
        }
    }
}

fn fresh(module: &Module<'_>, budget: &Budget, request: &c_types::Request) -> Poll {
    let mut instance = null_mut();
    unsafe {
        assert!(sg_instance_new(module.raw, budget, 1, null_mut(), &mut instance).is_null());
        let end = call(instance, request);
        sg_instance_drop(instance);
        end
    }
}

/// The same call with Wasmtime alone (no limiter, no meter, no waker): what our side adds is the difference.
mod alone {
    wasmtime::component::bindgen!({
        path: "wit/router_middleware.wit",
        world: "both",
        ownership: Borrowing { duplicate_if_necessary: true },
        exports: { default: async },
    });
    use super::{SETS_A_FIELD, guest, time};
    use exports::sgl::router::middleware_on_request::Request;
    use sgl::router::middleware_types::HeaderParam;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};
    use wasmtime::component::{Component, Linker};
    use wasmtime::{Engine, Store};

    fn block<F: Future>(future: F) -> F::Output {
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return value;
            }
        }
    }

    pub fn measure(ours: &super::Engine) {
        let engine: &Engine = unsafe { (*ours.raw).wasmtime() };
        let code = ours.compile(&wat::parse_str(guest("sgl:router", SETS_A_FIELD)).unwrap()).unwrap();
        let (code, _) = sandgate_engine::direct::artifact::split(&code);
        let component = unsafe { Component::deserialize(engine, code) }.unwrap();
        let pre = Linker::<()>::new(engine).instantiate_pre(&component).unwrap();
        let pre = BothPre::new(pre).unwrap();
        let headers: Vec<_> = (0..10).map(|_| HeaderParam { name: "accept-encoding", value: "gzip, deflate, br, zstd" }).collect();
        let request = || Request {
            method: "GET",
            path: "/v1/models",
            query: "a=b",
            headers: &headers,
            body: b"",
            request_id: "0123456789abcdef",
            now_epoch_ms: 1,
        };
        let store = || {
            let mut store = Store::new(engine, ());
            store.epoch_deadline_async_yield_and_update(1);
            store.set_epoch_deadline(1);
            store
        };
        time("  Wasmtime alone: fresh", || {
            let mut store = store();
            block(async {
                let instance = pre.instantiate_async(&mut store).await.unwrap();
                let action = instance.sgl_router_middleware_on_request().call_on_request(&mut store, request()).await.unwrap();
                std::hint::black_box(action);
            });
        });
        let mut store = store();
        let instance = block(pre.instantiate_async(&mut store)).unwrap();
        time("  Wasmtime alone: reused", || {
            let action = block(instance.sgl_router_middleware_on_request().call_on_request(&mut store, request())).unwrap();
            std::hint::black_box(action);
        });
    }
}

fn measure(label: &str, options: Options) {
    let engine = Engine::new(options);
    let mut request = Request::new();
    request.headers = vec![header("accept-encoding", "gzip, deflate, br, zstd"); 10];
    let plain = request.raw();
    let module = engine.module(&guest("sgl:router", SETS_A_FIELD)).unwrap();
    println!("-- {label}");
    time("new and drop, no call", || drop(module.instance(budget())));
    time("fresh instance + on-request, 10 fields", || assert_eq!(fresh(&module, &budget(), &plain), Poll::Done));
    let limited = Budget { cpu_ns: 20_000_000, ..budget() };
    time("  with a CPU budget", || assert_eq!(fresh(&module, &limited, &plain), Poll::Done));
    engine.ticking(|| {
        time("  with a CPU budget, ticking", || assert_eq!(fresh(&module, &limited, &plain), Poll::Done));
    });
    let instance = module.instance(budget());
    time("restored instance", || {
        assert_eq!(call(instance.raw, &plain), Poll::Done);
        assert!(unsafe { sg_instance_restore(instance.raw) });
    });
    time("reused instance", || assert_eq!(call(instance.raw, &plain), Poll::Done));
    alone::measure(&engine);
    let echo = engine.module(&guest("sgl:router", include_str!("../tests/guests/echo.wat"))).unwrap();
    let body = vec![b'x'; 1 << 20];
    request.body = &body;
    let with_body = request.raw();
    let large = Budget { memory_bytes: 64 * MIB, output_bytes: 4 * MIB, ..budget() };
    let instance = echo.instance(large);
    time("reused instance, 1 MiB body in and out", || assert_eq!(call(instance.raw, &with_body), Poll::Done));
    let trap = engine.module(&on_request("(unreachable)")).unwrap();
    time("fresh instance + trap", || assert_eq!(fresh(&trap, &budget(), &plain), Poll::Failed));
    if let Ok(path) = std::env::var("COMPONENT") {
        let code = engine.compile(&std::fs::read(path).unwrap()).unwrap();
        let module = engine.load(&code).unwrap();
        time("fresh instance of $COMPONENT + on-request", || assert_eq!(fresh(&module, &large, &plain), Poll::Done));
        let instance = module.instance(large);
        time("restored instance of $COMPONENT + on-request", || {
            assert_eq!(call(instance.raw, &plain), Poll::Done);
            assert!(unsafe { sg_instance_restore(instance.raw) });
        });
    }
}

/// Bulk instructions as they are and in pieces: what small ones cost, and how long a large one holds its thread.
fn measure_bulk() {
    println!("-- bulk memory instructions");
    let wasm = wat::parse_str(
        r#"(module (memory 1024)
             (func (export "copies") (param $len i32) (local $i i32)
               (loop $l (memory.copy (i32.const 4096) (i32.const 0) (local.get $len))
                 (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000)))))
             (func (export "fill") (param $len i32) (memory.fill (i32.const 0) (i32.const 1) (local.get $len))))"#,
    )
    .unwrap();
    let mut config = wasmtime::Config::new();
    config.epoch_interruption(true);
    let engine = wasmtime::Engine::new(&config).unwrap();
    let rewritten = sandgate_engine::bulk_memory::rewrite(&wasm, sandgate_engine::bulk_memory::CHUNK_BYTES).unwrap();
    for (label, wasm) in [("as they are", &wasm[..]), ("in pieces", &rewritten)] {
        let mut store = wasmtime::Store::new(&engine, ());
        store.set_epoch_deadline(1_000_000_000);
        let instance = wasmtime::Instance::new(&mut store, &wasmtime::Module::new(&engine, wasm).unwrap(), &[]).unwrap();
        let copies = instance.get_typed_func::<u32, ()>(&mut store, "copies").unwrap();
        for len in [8, 64, 1024] {
            time(&format!("{label}: 1000 x memory.copy of {len} bytes"), || copies.call(&mut store, len).unwrap());
        }
        let fill = instance.get_typed_func::<u32, ()>(&mut store, "fill").unwrap();
        for what in ["untouched", "touched"] {
            let start = cpu_ns();
            fill.call(&mut store, 64 << 20).unwrap();
            println!("{:58} {:>8.2} us", format!("{label}: memory.fill of 64 MiB, {what}"), (cpu_ns() - start) as f64 / 1e3);
        }
    }
}

fn main() {
    if let Ok(case) = std::env::var("PROFILE") {
        return profile(&case);
    }
    measure_bulk();
    measure("on demand", COMPILER);
    measure("pooling", Options { instances_max: 1000, ..POOLED });
    measure("pooling, pagemap_scan", Options { pagemap_scan: true, instances_max: 1000, ..POOLED });
}

/// One case in a loop, for `perf`: PROFILE=fresh or PROFILE=reused.
fn profile(case: &str) {
    let engine = Engine::new(Options { pagemap_scan: true, instances_max: 1000, ..POOLED });
    let mut request = Request::new();
    request.headers = vec![header("accept-encoding", "gzip, deflate, br, zstd"); 10];
    let plain = request.raw();
    let module = engine.module(&guest("sgl:router", SETS_A_FIELD)).unwrap();
    let instance = module.instance(budget());
    for _ in 0..20 * ROUNDS {
        match case {
            "fresh" => fresh(&module, &budget(), &plain),
            _ => call(instance.raw, &plain),
        };
    }
}
