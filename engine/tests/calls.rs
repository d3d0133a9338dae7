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
