// SPDX-License-Identifier: Apache-2.0
//! The router worlds (`wit/router_middleware.wit`): `on-request` and `on-response` of three packages that differ only in name.
//!
//! Parameters are borrowed from C++ and lowered without a copy in between; results are owned, because the guest's memory may
//! change as soon as its post-return has run.

use crate::c_types;
use crate::c_types::{ActionTag, Hook};
use crate::error::{Error, ErrorKind, Result};
use crate::instance::{Guest, Host};
use crate::module::Module;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{ComponentExportIndex, ComponentNamedList, ComponentType, InstancePre, Lift, Lower, TypedFunc};

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

/// What to export, for messages.
pub const WANTED: &str = "export `on-request` of the interface `sgl:router/middleware-on-request` and/or `on-response` of \
                          `sgl:router/middleware-on-response` (the packages `sgl:model-gateway` and `smg:gateway` serve as well)";

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
pub enum Action {
    #[component(name = "continue")]
    Continue,
    #[component(name = "reject")]
    Reject(u16),
    #[component(name = "modify")]
    Modify(ModifyAction),
}

/// Where the two functions are in a component.
pub struct Exports {
    on_request: Option<ComponentExportIndex>,
    on_response: Option<ComponentExportIndex>,
}

impl Exports {
    /// Finds the functions and checks their types, once for all instances.
    pub fn find(pre: &InstancePre<Host>) -> Result<Exports> {
        let exports = Exports {
            on_request: find::<(Request<'static>,)>(pre, &ON_REQUEST)?,
            on_response: find::<(Response<'static>,)>(pre, &ON_RESPONSE)?,
        };
        if exports.hooks() == 0 {
            return Err(Error::new(ErrorKind::Exports, format!("the component serves nothing: {WANTED}")));
        }
        Ok(exports)
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

    /// An error when the module lacks the hook.
    pub fn require(&self, hook: Hook) -> Result<()> {
        if self.hooks() & hook as u32 != 0 {
            return Ok(());
        }
        let name = if hook == Hook::OnRequest { &ON_REQUEST } else { &ON_RESPONSE };
        let text = format!("the component does not export `{}` of an interface `{}`", name.function, name.interface);
        Err(Error::new(ErrorKind::Exports, text))
    }
}

fn find<Params>(pre: &InstancePre<Host>, hook: &HookName) -> Result<Option<ComponentExportIndex>>
where
    Params: ComponentNamedList + Lower,
{
    let component = pre.component();
    for package in PACKAGES {
        let interface = format!("{package}/{}", hook.interface);
        let Some((item, index)) = component.get_export(None, &interface) else { continue };
        let ComponentItem::ComponentInstance(_) = item else {
            return Err(wrong_type(&interface, hook, "it is not an instance"));
        };
        let Some((item, index)) = component.get_export(Some(&index), hook.function) else {
            return Err(wrong_type(&interface, hook, "the function is missing"));
        };
        let ComponentItem::ComponentFunc(function) = item else {
            return Err(wrong_type(&interface, hook, "it is not a function"));
        };
        function
            .typecheck::<Params, (Action,)>(&pre.instance_type())
            .map_err(|cause| wrong_type(&interface, hook, &crate::error::chain(&cause)))?;
        return Ok(Some(index));
    }
    Ok(None)
}

fn wrong_type(interface: &str, hook: &HookName, cause: &str) -> Error {
    let text = format!("the export `{interface}` should contain `{}`: {cause}", hook.signature);
    Error::new(ErrorKind::Exports, text)
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

unsafe fn headers(headers: c_types::Headers) -> Result<Vec<HeaderParam<'static>>> {
    // SAFETY: promised by the caller.
    unsafe { headers.as_slice() }
        .iter()
        .map(|header| unsafe {
            Ok(HeaderParam { name: text(header.name, "header name")?, value: text(header.value, "header value")? })
        })
        .collect()
}

/// A Rust string must be UTF-8, so the promise of the header is checked: 50 ns per KiB.
unsafe fn text(bytes: c_types::Bytes, what: &str) -> Result<&'static str> {
    // SAFETY: promised by the caller.
    let bytes = unsafe { bytes.as_slice() };
    std::str::from_utf8(bytes).map_err(|_| Error::internal(format!("the {what} handed to the engine is not UTF-8")))
}

/// One call of `on-request`, on the instance of `guest` (made first if there is none).
pub async fn on_request(module: &Module, guest: &mut Guest, request: Request<'static>) -> wasmtime::Result<Action> {
    call(module, guest, module.router.on_request.as_ref(), (request,)).await
}

/// One call of `on-response`.
pub async fn on_response(module: &Module, guest: &mut Guest, response: Response<'static>) -> wasmtime::Result<Action> {
    call(module, guest, module.router.on_response.as_ref(), (response,)).await
}

async fn call<Params>(
    module: &Module,
    guest: &mut Guest,
    export: Option<&ComponentExportIndex>,
    params: Params,
) -> wasmtime::Result<Action>
where
    Params: ComponentNamedList + Lower + Send + Sync + 'static,
{
    let instance = guest.instantiate(module).await?;
    let function = export
        .and_then(|index| instance.get_func(&mut guest.store, index))
        .ok_or_else(|| wasmtime::format_err!("the export is gone"))?;
    // SAFETY: `Exports::find` has checked the type of this export of this component.
    let function: TypedFunc<Params, (Action,)> = unsafe { TypedFunc::new_unchecked(function) };
    let (action,) = function.call_async(&mut guest.store, params).await?;
    Ok(action)
}

/// An action and its C view. The view points into the action (and its own vectors), whose heap blocks do not move with it.
pub struct ActionView {
    view: c_types::Action,
    _headers: Vec<c_types::Header>,
    _removed: Vec<c_types::Bytes>,
    _action: Action,
}

// SAFETY: the raw pointers in it point to what it owns.
unsafe impl Send for ActionView {}

impl ActionView {
    pub fn new(action: Action) -> ActionView {
        let mut view = c_types::Action {
            tag: ActionTag::Continue,
            has_status: false,
            status: 0,
            headers_set: c_types::Headers::EMPTY,
            headers_add: c_types::Headers::EMPTY,
            headers_remove: std::ptr::null(),
            headers_remove_len: 0,
            has_body: false,
            body: c_types::Bytes::EMPTY,
        };
        let mut headers = Vec::new();
        let mut removed = Vec::new();
        match &action {
            Action::Continue => {}
            Action::Reject(status) => {
                view.tag = ActionTag::Reject;
                view.has_status = true;
                view.status = *status;
            }
            Action::Modify(modify) => {
                view.tag = ActionTag::Modify;
                view.has_status = modify.status.is_some();
                view.status = modify.status.unwrap_or(0);
                headers.extend(modify.headers_set.iter().chain(&modify.headers_add).map(|header| c_types::Header {
                    name: c_types::Bytes::of(header.name.as_bytes()),
                    value: c_types::Bytes::of(header.value.as_bytes()),
                }));
                let (set, add) = headers.split_at(modify.headers_set.len());
                view.headers_set = c_types::Headers::of(set);
                view.headers_add = c_types::Headers::of(add);
                removed.extend(modify.headers_remove.iter().map(|name| c_types::Bytes::of(name.as_bytes())));
                view.headers_remove = removed.as_ptr();
                view.headers_remove_len = removed.len();
                view.has_body = modify.body_replace.is_some();
                view.body = modify.body_replace.as_deref().map_or(c_types::Bytes::EMPTY, c_types::Bytes::of);
            }
        }
        ActionView { view, _headers: headers, _removed: removed, _action: action }
    }

    pub fn view(&self) -> &c_types::Action {
        &self.view
    }
}
