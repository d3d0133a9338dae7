// SPDX-License-Identifier: Apache-2.0
//! Guest ABIs: one file each, lift and lower only. What the calls mean for an exchange is C++'s business (`src/abi`).

pub mod action;
pub mod router_middleware;
pub mod vllm_middleware;

use crate::c_types::{Bytes, Hook};
use crate::error::{Error, ErrorKind, Result, chain};
use crate::instance::{Guest, Host};
use crate::module::Module;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{ComponentExportIndex, ComponentNamedList, InstancePre, Lift, Lower, TypedFunc};

/// What to export, for messages.
pub const WANTED: &str = "export `on-request` of the interface `sgl:router/middleware-on-request` and/or `on-response` of \
                          `sgl:router/middleware-on-response` (the packages `sgl:model-gateway` and `smg:gateway` serve as well), or \
                          `handle` of `vllm:router-middleware/on-request@0.1.0`";

/// The ABI of a component and where its functions are. The first that it exports counts.
pub enum Exports {
    Router(router_middleware::Exports),
    Vllm(ComponentExportIndex),
}

impl Exports {
    /// Finds the functions and checks their types, once for all instances.
    pub fn find(pre: &InstancePre<Host>) -> Result<Exports> {
        if let Some(router) = router_middleware::Exports::find(pre)? {
            return Ok(Exports::Router(router));
        }
        if let Some(handle) = vllm_middleware::find(pre)? {
            return Ok(Exports::Vllm(handle));
        }
        Err(Error::new(ErrorKind::Exports, format!("the component serves nothing: {WANTED}")))
    }

    pub fn hooks(&self) -> u32 {
        match self {
            Exports::Router(router) => router.hooks(),
            Exports::Vllm(_) => Hook::OnRequest as u32,
        }
    }
}

/// Finds `function` of an exported interface and checks its type; `signature` is what it should be.
fn find_function<Params, Return>(
    pre: &InstancePre<Host>,
    interface: &str,
    function: &str,
    signature: &str,
) -> Result<Option<ComponentExportIndex>>
where
    Params: ComponentNamedList + Lower,
    Return: Lift,
    (Return,): ComponentNamedList + Lift,
{
    let wrong = |cause: &str| {
        let text = format!("the export `{interface}` should contain `{signature}`: {cause}");
        Error::new(ErrorKind::Exports, text)
    };
    let component = pre.component();
    let Some((item, index)) = component.get_export(None, interface) else { return Ok(None) };
    let ComponentItem::ComponentInstance(_) = item else { return Err(wrong("it is not an instance")) };
    let Some((item, index)) = component.get_export(Some(&index), function) else { return Err(wrong("the function is missing")) };
    let ComponentItem::ComponentFunc(found) = item else { return Err(wrong("it is not a function")) };
    found.typecheck::<Params, (Return,)>(&pre.instance_type()).map_err(|cause| wrong(&chain(&cause)))?;
    Ok(Some(index))
}

/// One call, on the instance of `guest` (made first if there is none). `export` and the types are what [`find_function`] checked.
pub async fn call<Params, Return>(
    module: &Module,
    guest: &mut Guest,
    export: &ComponentExportIndex,
    params: Params,
) -> wasmtime::Result<Return>
where
    Params: ComponentNamedList + Lower + Send + Sync + 'static,
    Return: Lift + Send + Sync + 'static,
{
    let instance = guest.instantiate(module).await?;
    let function = instance.get_func(&mut guest.store, export).ok_or_else(|| wasmtime::format_err!("the export is gone"))?;
    // SAFETY: `find_function` has checked the type of this export of this component.
    let function: TypedFunc<Params, (Return,)> = unsafe { TypedFunc::new_unchecked(function) };
    let (result,) = function.call_async(&mut guest.store, params).await?;
    Ok(result)
}

/// A Rust string must be UTF-8, so the promise of the header is checked: 50 ns per KiB.
///
/// # Safety
/// What it points to must stay as it is until the call has ended.
unsafe fn text(bytes: Bytes, what: &str) -> Result<&'static str> {
    // SAFETY: promised by the caller.
    let bytes = unsafe { bytes.as_slice() };
    std::str::from_utf8(bytes).map_err(|_| Error::internal(format!("the {what} handed to the engine is not UTF-8")))
}
