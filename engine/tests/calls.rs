// SPDX-License-Identifier: Apache-2.0
//! Calls that work: both hooks under all three package names, records intact in both directions, instances fresh and reused.

mod support;
use sandgate_engine::c_types::{ActionTag, Hook};
use support::*;

const ECHO: &str = include_str!("guests/echo.wat");

fn echoed(request: &Request<'_>, action: OwnedAction) {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(action.tag, ActionTag::Modify);
    assert_eq!(action.status, Some(request.now_epoch_ms as u16));
    let set: Vec<_> = request
        .headers
        .iter()
        .map(|header| unsafe {
            (
                String::from_utf8(header.name.as_slice().to_vec()).unwrap(),
                String::from_utf8(header.value.as_slice().to_vec()).unwrap(),
            )
        })
        .collect();
    assert_eq!(action.set, set);
    assert_eq!(
        action.add,
        [
            pair("method", request.method),
            pair("path", request.path),
            pair("query", request.query),
            pair("request-id", request.request_id)
        ]
    );
    assert_eq!(action.remove, [request.path]);
    assert_eq!(action.body.as_deref(), Some(request.body));
}

#[test]
fn every_package_and_both_hooks_carry_records_intact() {
    let engine = Engine::new(POOLED);
    for package in PACKAGES {
        let module = engine.module(&guest(package, ECHO)).unwrap();
        assert_eq!(module.hooks(), Hook::OnRequest as u32 | Hook::OnResponse as u32);

        let mut request = Request::new();
        request.path = "/ü/𝄞";
        request.body = b"\x00\xff body";
        let mut instance = module.instance(budget());
        assert!(!instance.has_action());
        echoed(&request, instance.request(&engine, &request).action());

        instance.start_response(418, &[header("server", "teapot")], b"short and stout").unwrap();
        assert!(!instance.has_action());
        let action = instance.finish(&engine).action();
        assert_eq!(action.status, Some(419));
        assert_eq!(action.set, [("server".to_owned(), "teapot".to_owned())]);
        assert_eq!(action.body.as_deref(), Some(&b"short and stout"[..]));
    }
}

#[test]
fn a_module_may_serve_one_hook_only() {
    let engine = Engine::new(POOLED);
    let module = engine.module(&on_request("(i32.const 1024)")).unwrap();
    assert_eq!(module.hooks(), Hook::OnRequest as u32);
    let mut instance = module.instance(budget());
    let error = instance.start_response(200, &[], b"").unwrap_err();
    assert_eq!(error.kind, ErrorKind::Exports);
    assert!(error.message.contains("on-response"), "{}", error.message);
    // The refusal costs the instance nothing.
    assert_eq!(instance.request(&engine, &Request::new()).action(), OwnedAction::new(ActionTag::Continue));

    let response =
        r#"(func (export "$PKG/middleware-on-response#on-response") (param i32 i32 i32 i32 i32) (result i32) (i32.const 1024))"#;
    let module = engine.module(&guest("smg:gateway", response)).unwrap();
    assert_eq!(module.hooks(), Hook::OnResponse as u32);
    let mut instance = module.instance(budget());
    assert_eq!(instance.start_request(&Request::new()).unwrap_err().kind, ErrorKind::Exports);
    instance.start_response(200, &[], b"").unwrap();
    assert_eq!(instance.finish(&engine).action(), OwnedAction::new(ActionTag::Continue));
}

#[test]
fn the_three_actions_come_out() {
    let engine = Engine::new(POOLED);
    let run = |code: &str| {
        let module = engine.module(&on_request(code)).unwrap();
        module.instance(budget()).request(&engine, &Request::new()).action()
    };
    assert_eq!(run("(i32.const 1024)"), OwnedAction::new(ActionTag::Continue));
    assert_eq!(
        run("(i32.store8 (i32.const 1024) (i32.const 1)) (i32.store16 (i32.const 1028) (i32.const 401)) (i32.const 1024)"),
        OwnedAction { status: Some(401), ..OwnedAction::new(ActionTag::Reject) }
    );
    // Nothing set, and an empty body is not the same as no body.
    assert_eq!(run("(i32.store8 (i32.const 1024) (i32.const 2)) (i32.const 1024)"), OwnedAction::new(ActionTag::Modify));
    assert_eq!(
        run("(i32.store8 (i32.const 1024) (i32.const 2)) (i32.store8 (i32.const 1056) (i32.const 1)) (i32.const 1024)"),
        OwnedAction { body: Some(vec![]), ..OwnedAction::new(ActionTag::Modify) }
    );
}

#[test]
fn fresh_instances_share_nothing_and_reused_ones_keep_their_state() {
    let engine = Engine::new(POOLED);
    let counter = on_request(
        "(i32.store (i32.const 4096) (i32.add (i32.load (i32.const 4096)) (i32.const 1)))
         (i32.store8 (i32.const 1024) (i32.const 1))
         (i32.store16 (i32.const 1028) (i32.load (i32.const 4096)))
         (i32.const 1024)",
    );
    let module = engine.module(&counter).unwrap();
    for _ in 0..200 {
        assert_eq!(module.instance(budget()).request(&engine, &Request::new()).action().status, Some(1));
    }
    let mut instance = module.instance(budget());
    for count in 1..50 {
        assert_eq!(instance.request(&engine, &Request::new()).action().status, Some(count));
    }
    assert!(instance.memory_peak() >= 2 << 16 && instance.memory_peak() < 1 << 20);
}

#[test]
fn empty_records_and_large_bodies_pass() {
    let engine = Engine::new(POOLED);
    let module = engine.module(&guest("sgl:router", ECHO)).unwrap();
    let mut large = budget();
    large.memory_bytes = 64 * MIB;
    large.output_bytes = 8 * MIB;
    let body: Vec<u8> = (0..8 * MIB).map(|at| at as u8).collect();
    let empty = Request { method: "", path: "", query: "", headers: vec![], body: b"", request_id: "", now_epoch_ms: 0 };
    echoed(&empty, module.instance(large).request(&engine, &empty).action());
    let mut request = Request::new();
    request.body = &body;
    let action = module.instance(large).request(&engine, &request).action();
    assert!(action.body.as_deref() == Some(&body[..]));
}

#[test]
fn text_that_is_not_utf8_is_the_callers_mistake() {
    let engine = Engine::new(POOLED);
    let module = engine.module(&guest("sgl:router", ECHO)).unwrap();
    let mut instance = module.instance(budget());
    let mut request = Request::new();
    request.headers[0].value = sandgate_engine::c_types::Bytes::of(b"\xff");
    let error = instance.start_request(&request).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Internal);
    assert!(error.message.contains("header value"), "{}", error.message);
    // Nothing began: a correct record is served.
    let request = Request::new();
    echoed(&request, instance.request(&engine, &request).action());
}

#[test]
fn one_call_at_a_time_and_none_without_start() {
    let engine = Engine::new(POOLED);
    let module = engine.module(&guest("sgl:router", ECHO)).unwrap();
    let mut instance = module.instance(budget());
    let (code, error) = instance.poll();
    assert_eq!(code, sandgate_engine::c_types::Poll::Failed);
    assert_eq!(error.unwrap().kind, ErrorKind::Internal);
    let request = Request::new();
    instance.start_request(&request).unwrap();
    assert_eq!(instance.start_response(200, &[], b"").unwrap_err().kind, ErrorKind::Internal);
    echoed(&request, instance.finish(&engine).action());
}

#[test]
fn instances_may_move_between_threads_between_polls() {
    let engine = Engine::new(POOLED);
    let module = engine.module(&guest("sgl:router", ECHO)).unwrap();
    struct Moved<'m>(Instance<'m>);
    unsafe impl Send for Moved<'_> {}
    let mut moved = Moved(module.instance(budget()));
    for _ in 0..4 {
        moved = std::thread::scope(|scope| {
            let engine = &engine;
            let work = move || {
                let mut moved = moved;
                let whole = &mut moved;
                let request = Request::new();
                echoed(&request, whole.0.request(engine, &request).action());
                moved
            };
            scope.spawn(work).join().unwrap()
        });
    }
}
