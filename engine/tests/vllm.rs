// SPDX-License-Identifier: Apache-2.0
//! vllm:router-middleware@0.1.0: recognised, called with its own records, its actions in the common form.

mod support;
use sandgate_engine::c_types::{ActionTag, Bytes, Header, Hook};
use support::*;

const NAME: &str = "vllm:router-middleware/on-request@0.1.0#handle";

/// A core module whose `handle` does `code`.
fn handle(code: &str) -> String {
    guest(
        "",
        &format!(
            r#"(func (export "{NAME}")
                 (param $method i32) (param $method_len i32) (param $path i32) (param $path_len i32)
                 (param $query i32) (param $query_len i32) (param $headers i32) (param $headers_len i32)
                 (param $body i32) (param $body_len i32) (param $id i32) (param $id_len i32) (result i32)
                 {code})"#
        ),
    )
}

/// modify: headers-set as given, headers-remove the path, body-replace the query.
const MODIFY: &str = "(i32.store8 (i32.const 1024) (i32.const 2))
    (i32.store (i32.const 1028) (local.get $headers)) (i32.store (i32.const 1032) (local.get $headers_len))
    (i32.store (i32.const 1200) (local.get $path)) (i32.store (i32.const 1204) (local.get $path_len))
    (i32.store (i32.const 1044) (i32.const 1200)) (i32.store (i32.const 1048) (i32.const 1))
    (i32.store8 (i32.const 1052) (i32.const 1))
    (i32.store (i32.const 1056) (local.get $query)) (i32.store (i32.const 1060) (local.get $query_len))
    (i32.const 1024)";

#[test]
fn records_pass_and_values_are_bytes() {
    let engine = Engine::new(POOLED);
    let module = engine.module(&handle(MODIFY)).unwrap();
    assert_eq!(module.hooks(), Hook::OnRequest as u32);
    let mut request = Request::new();
    request.headers = vec![header("host", "example.test"), Header { name: Bytes::of(b"x-raw"), value: Bytes::of(b"\xff\xfe") }];
    let mut instance = module.instance(budget());
    for _ in 0..2 {
        let action = instance.request(&engine, &request).action();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!((action.tag, action.status), (ActionTag::Modify, None));
        assert_eq!(action.set, [pair("host", "example.test"), pair("x-raw", "\u{fffd}\u{fffd}")]);
        assert_eq!((action.add, action.remove), (vec![], vec![request.path.to_owned()]));
        assert_eq!(action.body.as_deref(), Some(request.query.as_bytes()));
    }
}

#[test]
fn rejections_carry_their_status_and_nothing_continues() {
    let engine = Engine::new(POOLED);
    let run = |code: &str| engine.module(&handle(code)).unwrap().instance(budget()).request(&engine, &Request::new()).action();
    let action = run("(i32.store8 (i32.const 1024) (i32.const 1)) (i32.store16 (i32.const 1028) (i32.const 429)) (i32.const 1024)");
    assert_eq!((action.tag, action.status), (ActionTag::Reject, Some(429)));
    assert_eq!(run("(i32.const 1024)").tag, ActionTag::Continue);
}

#[test]
fn there_is_no_response_hook() {
    let engine = Engine::new(POOLED);
    let module = engine.module(&handle("(i32.const 1024)")).unwrap();
    let mut instance = module.instance(budget());
    assert_eq!(instance.start_response(200, &[], b"").unwrap_err().kind, ErrorKind::Exports);
    instance.request(&engine, &Request::new()).action();
}

#[test]
fn finished_components_are_taken_and_others_told_the_type() {
    let engine = Engine::new(POOLED);
    let mut module = wat::parse_str(handle(MODIFY)).unwrap();
    let mut resolve = wit_parser::Resolve::default();
    let id = resolve.push_str("vllm.wit", include_str!("../wit/vllm_router_middleware.wit")).unwrap();
    let world = resolve.select_world(&[id], Some("middleware")).unwrap();
    wit_component::embed_component_metadata(&mut module, &resolve, world, wit_component::StringEncoding::UTF8).unwrap();
    let component = wit_component::ComponentEncoder::default().module(&module).unwrap().encode().unwrap();
    let module = engine.load(&engine.compile(&component).unwrap()).unwrap();
    module.instance(budget()).request(&engine, &Request::new()).action();

    let error = engine
        .module(
            "(component (core module $m (func (export \"f\"))) (core instance $i (instantiate $m)) (func $f (canon lift (core func $i \"f\")))
               (instance $x (export \"handle\" (func $f))) (export \"vllm:router-middleware/on-request@0.1.0\" (instance $x)))",
        )
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Exports);
    assert!(error.message.contains("handle: func(req: request) -> action"), "{}", error.message);
}
