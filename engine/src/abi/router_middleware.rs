// SPDX-License-Identifier: Apache-2.0
//! The router worlds (`wit/router_middleware.wit`): `on-request` and `on-response` of three packages that differ only in name.
//!
//! Parameters are borrowed from C++ and lowered without a copy in between; results are owned, because the guest's memory may
//! change as soon as its post-return has run.

use super::action::{Action, Edits, Field};
use super::{find_function, text};
use crate::c_types;
use crate::c_types::Hook;
use crate::direct::call::Arguments;
use crate::error::{Error, ErrorKind, Result};
use crate::instance::Host;
use wasmtime::component::{ComponentExportIndex, ComponentNamedList, ComponentType, InstancePre, Lift, Lower};

/// In the order in which they were used by the routers; the first that a component exports counts.
pub const PACKAGES: [&str; 3] = ["sgl:router", "sgl:model-gateway", "smg:gateway"];

/// Interface, function and the type to print when a guest has another one.
pub struct HookName {
    pub interface: &'static str,
    pub function: &'static str,
    pub signature: &'static str,
}

pub const ON_REQUEST: HookName =
    HookName { interface: "middleware-on-request", function: "on-request", signature: "on-request: func(req: request) -> action" };
pub const ON_RESPONSE: HookName = HookName {
    interface: "middleware-on-response",
    function: "on-response",
    signature: "on-response: func(resp: response) -> action",
};

#[derive(ComponentType, Lower)]
#[component(record)]
pub struct HeaderParam<'a> {
    name: &'a str,
    value: &'a str,
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
    #[component(name = "now-epoch-ms")]
    now_epoch_ms: u64,
}

#[derive(ComponentType, Lower)]
#[component(record)]
pub struct Response<'a> {
    status: u16,
    headers: Vec<HeaderParam<'a>>,
    body: &'a [u8],
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub struct Header {
    name: String,
    value: String,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub struct ModifyAction {
    status: Option<u16>,
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
pub enum RouterAction {
    #[component(name = "continue")]
    Continue,
    #[component(name = "reject")]
    Reject(u16),
    #[component(name = "modify")]
    Modify(ModifyAction),
}

impl From<RouterAction> for Action {
    fn from(action: RouterAction) -> Action {
        match action {
            RouterAction::Continue => Action::Continue,
            RouterAction::Reject(status) => Action::Reject(status),
            RouterAction::Modify(modify) => Action::Modify(Edits {
                status: modify.status,
                set: fields(modify.headers_set),
                add: fields(modify.headers_add),
                remove: modify.headers_remove,
                body: modify.body_replace,
            }),
        }
    }
}

/// In place: a string is a vector of bytes already.
fn fields(headers: Vec<Header>) -> Vec<Field> {
    headers.into_iter().map(|header| Field { name: header.name, value: header.value.into_bytes() }).collect()
}

/// Where the two functions are in a component.
pub struct Exports {
    on_request: Option<ComponentExportIndex>,
    on_response: Option<ComponentExportIndex>,
}

impl Exports {
    /// `None` when the component exports neither.
    pub fn find(pre: &InstancePre<Host>) -> Result<Option<Exports>> {
        let exports = Exports {
            on_request: find::<(Request<'static>,)>(pre, &ON_REQUEST)?,
            on_response: find::<(Response<'static>,)>(pre, &ON_RESPONSE)?,
        };
        Ok(if exports.hooks() == 0 { None } else { Some(exports) })
    }

    pub fn hooks(&self) -> u32 {
        let mut bits = 0;
        if self.on_request.is_some() {
            bits |= Hook::OnRequest as u32;
        }
        if self.on_response.is_some() {
            bits |= Hook::OnResponse as u32;
        }
        bits
    }

    pub fn on_request(&self) -> Result<ComponentExportIndex> {
        self.on_request.ok_or_else(|| missing(&ON_REQUEST))
    }

    pub fn on_response(&self) -> Result<ComponentExportIndex> {
        self.on_response.ok_or_else(|| missing(&ON_RESPONSE))
    }
}

pub fn missing(name: &HookName) -> Error {
    let text = format!("the component does not export `{}` of an interface `{}`", name.function, name.interface);
    Error::new(ErrorKind::Exports, text)
}

fn find<Params>(pre: &InstancePre<Host>, hook: &HookName) -> Result<Option<ComponentExportIndex>>
where
    Params: ComponentNamedList + Lower,
{
    for package in PACKAGES {
        let interface = format!("{package}/{}", hook.interface);
        let found = find_function::<Params, RouterAction>(pre, &interface, hook.function, hook.signature)?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Reads the C record, in place.
///
/// # Safety
/// The record and what it points to must stay as they are until the call has ended or its future is dropped.
pub unsafe fn borrow_request(request: &c_types::Request) -> Result<Request<'static>> {
    // SAFETY: promised by the caller.
    unsafe {
        Ok(Request {
            method: text(request.method, "method")?,
            path: text(request.path, "path")?,
            query: text(request.query, "query")?,
            headers: headers(request.headers)?,
            body: request.body.as_slice(),
            request_id: text(request.request_id, "request_id")?,
            now_epoch_ms: request.now_epoch_ms,
        })
    }
}

/// # Safety
/// As for [`borrow_request`].
pub unsafe fn borrow_response(response: &c_types::Response) -> Result<Response<'static>> {
    // SAFETY: promised by the caller.
    unsafe { Ok(Response { status: response.status, headers: headers(response.headers)?, body: response.body.as_slice() }) }
}

/// The parameters of `on-request`, for a driver.
///
/// # Safety
/// As for [`borrow_request`].
pub unsafe fn request_arguments(request: &c_types::Request, arguments: &mut Arguments) -> Result<()> {
    // SAFETY: promised by the caller.
    unsafe {
        arguments.bytes(text(request.method, "method")?.as_bytes());
        arguments.bytes(text(request.path, "path")?.as_bytes());
        arguments.bytes(text(request.query, "query")?.as_bytes());
        header_arguments(request.headers, arguments)?;
        arguments.bytes(request.body.as_slice());
        arguments.bytes(text(request.request_id, "request_id")?.as_bytes());
    }
    arguments.number = request.now_epoch_ms;
    Ok(())
}

/// The parameters of `on-response`, for a driver.
///
/// # Safety
/// As for [`borrow_request`].
pub unsafe fn response_arguments(response: &c_types::Response, arguments: &mut Arguments) -> Result<()> {
    // SAFETY: promised by the caller.
    unsafe {
        header_arguments(response.headers, arguments)?;
        arguments.bytes(response.body.as_slice());
    }
    arguments.number = u64::from(response.status);
    Ok(())
}

unsafe fn header_arguments(headers: c_types::Headers, arguments: &mut Arguments) -> Result<()> {
    // SAFETY: promised by the caller.
    let headers = unsafe { headers.as_slice() };
    arguments.fields(headers.len());
    for header in headers {
        // SAFETY: promised by the caller.
        unsafe {
            arguments.bytes(text(header.name, "header name")?.as_bytes());
            arguments.bytes(text(header.value, "header value")?.as_bytes());
        }
    }
    Ok(())
}

unsafe fn headers(headers: c_types::Headers) -> Result<Vec<HeaderParam<'static>>> {
    // SAFETY: promised by the caller.
    unsafe { headers.as_slice() }
        .iter()
        .map(|header| unsafe {
            Ok(HeaderParam { name: text(header.name, "header name")?, value: text(header.value, "header value")? })
        })
        .collect()
}
