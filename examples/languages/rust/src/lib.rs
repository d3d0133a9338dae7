// SPDX-License-Identifier: Apache-2.0
//! A guest in Rust: wants an API key of requests, tags them, and turns a worker's 500 into a 503.

wit_bindgen::generate!({ path: "../../../wit/sgl-router", world: "sgl-router" });

use exports::sgl::router::{middleware_on_request, middleware_on_response};
use sgl::router::middleware_types::{Action, Header, ModifyAction, Request, Response};

struct Tag;

fn field(name: &str, value: String) -> Header {
    Header { name: name.into(), value }
}

fn no_edits() -> ModifyAction {
    ModifyAction { status: None, headers_set: vec![], headers_add: vec![], headers_remove: vec![], body_replace: None }
}

impl middleware_on_request::Guest for Tag {
    fn on_request(request: Request) -> Action {
        if !request.headers.iter().any(|header| header.name == "x-api-key") {
            return Action::Reject(401);
        }
        Action::Modify(ModifyAction {
            headers_set: vec![
                field("x-guest", "rust".into()),
                field("x-seen", request.request_id),
                field("x-body-bytes", request.body.len().to_string()),
            ],
            headers_remove: vec!["x-api-key".into()],
            ..no_edits()
        })
    }
}

impl middleware_on_response::Guest for Tag {
    fn on_response(response: Response) -> Action {
        if response.status != 500 {
            return Action::Continue;
        }
        Action::Modify(ModifyAction { status: Some(503), ..no_edits() })
    }
}

export!(Tag);
