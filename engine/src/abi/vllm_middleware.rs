// SPDX-License-Identifier: Apache-2.0
//! The world of `vllm:router-middleware@0.1.0` (`wit/vllm_router_middleware.wit`): requests only, field values as bytes, no time.

use super::action::{Action, Edits, Field};
use super::{find_function, text};
use crate::c_types;
use crate::direct::call::Arguments;
use crate::error::Result;
use crate::instance::Host;
use wasmtime::component::{ComponentExportIndex, ComponentType, InstancePre, Lift, Lower};

pub const INTERFACE: &str = "vllm:router-middleware/on-request@0.1.0";
pub const FUNCTION: &str = "handle";
const SIGNATURE: &str = "handle: func(req: request) -> action";

#[derive(ComponentType, Lower)]
#[component(record)]
pub struct HeaderParam<'a> {
    name: &'a str,
    value: &'a [u8],
}

#[derive(ComponentType, Lower)]
#[component(record)]
pub struct Request<'a> {
    method: &'a str,
    path: &'a str,
    query: &'a str,
    headers: Vec<HeaderParam<'a>>,
    body: &'a [u8],
    #[component(name = "request-id")]
    request_id: &'a str,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub struct Header {
    name: String,
    value: Vec<u8>,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub struct ModifyAction {
    #[component(name = "headers-set")]
    headers_set: Vec<Header>,
    #[component(name = "headers-add")]
    headers_add: Vec<Header>,
    #[component(name = "headers-remove")]
    headers_remove: Vec<String>,
    #[component(name = "body-replace")]
    body_replace: Option<Vec<u8>>,
}

#[derive(ComponentType, Lift)]
#[component(variant)]
pub enum VllmAction {
    #[component(name = "continue")]
    Continue,
    #[component(name = "reject")]
    Reject(u16),
    #[component(name = "modify")]
    Modify(ModifyAction),
}

impl From<VllmAction> for Action {
    fn from(action: VllmAction) -> Action {
        match action {
            VllmAction::Continue => Action::Continue,
            VllmAction::Reject(status) => Action::Reject(status),
            VllmAction::Modify(modify) => Action::Modify(Edits {
                status: None,
                set: fields(modify.headers_set),
                add: fields(modify.headers_add),
                remove: modify.headers_remove,
                body: modify.body_replace,
            }),
        }
    }
}

fn fields(headers: Vec<Header>) -> Vec<Field> {
    headers.into_iter().map(|header| Field { name: header.name, value: header.value }).collect()
}

/// Where `handle` is in a component, if it is there, its type checked.
pub fn find(pre: &InstancePre<Host>) -> Result<Option<ComponentExportIndex>> {
    find_function::<(Request<'static>,), VllmAction>(pre, INTERFACE, FUNCTION, SIGNATURE)
}

/// Reads the C record, in place.
///
/// # Safety
/// The record and what it points to must stay as they are until the call has ended or its future is dropped.
pub unsafe fn borrow_request(request: &c_types::Request) -> Result<Request<'static>> {
    // SAFETY: promised by the caller.
    unsafe {
        let headers = request.headers.as_slice().iter();
        let headers =
            headers.map(|header| Ok(HeaderParam { name: text(header.name, "header name")?, value: header.value.as_slice() }));
        Ok(Request {
            method: text(request.method, "method")?,
            path: text(request.path, "path")?,
            query: text(request.query, "query")?,
            headers: headers.collect::<Result<_>>()?,
            body: request.body.as_slice(),
            request_id: text(request.request_id, "request_id")?,
        })
    }
}

/// The parameters of `handle`, for a driver.
///
/// # Safety
/// As for [`borrow_request`].
pub unsafe fn request_arguments(request: &c_types::Request, arguments: &mut Arguments) -> Result<()> {
    // SAFETY: promised by the caller.
    unsafe {
        arguments.bytes(text(request.method, "method")?.as_bytes());
        arguments.bytes(text(request.path, "path")?.as_bytes());
        arguments.bytes(text(request.query, "query")?.as_bytes());
        let headers = request.headers.as_slice();
        arguments.fields(headers.len());
        for header in headers {
            arguments.bytes(text(header.name, "header name")?.as_bytes());
            arguments.bytes(header.value.as_slice());
        }
        arguments.bytes(request.body.as_slice());
        arguments.bytes(text(request.request_id, "request_id")?.as_bytes());
    }
    Ok(())
}
