// SPDX-License-Identifier: Apache-2.0
//! Compiled code, loaded: imports linked, exports found and type-checked once, so that a call looks nothing up.

use crate::abi::router_middleware::Exports;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result, chain};
use crate::instance::Host;
use std::sync::Arc;
use tokio::runtime::Handle;
use wasmtime::component::{Component, InstancePre};

pub struct Module {
    /// Code and linked imports: instantiating looks nothing up.
    pub pre: InstancePre<Host>,
    pub router: Exports,
    /// Entered around polls when the module imports WASI.
    pub runtime: Option<Handle>,
    pub engine: Arc<Engine>,
}

impl Module {
    /// # Safety
    /// `code` must come from [`crate::compile::compile`]: it is native code that will run.
    pub unsafe fn load(engine: &Arc<Engine>, code: &[u8]) -> Result<Arc<Module>> {
        if wasmtime::Engine::detect_precompiled(code).is_none() {
            return Err(Error::new(ErrorKind::InvalidModule, "this is not code that the engine compiled"));
        }
        // SAFETY: promised by the caller.
        let component = unsafe { Component::deserialize(engine.wasmtime(), code) }
            .map_err(|cause| Error::with_cause(ErrorKind::Unsupported, "the compiled code cannot be loaded", &cause))?;
        let wasi = imports_wasi(engine, &component);
        let linker = if wasi { engine.wasi_linker()? } else { engine.bare_linker() };
        let pre = linker.instantiate_pre(&component).map_err(|cause| Error::new(ErrorKind::Link, chain(&cause)))?;
        let router = Exports::find(&pre)?;
        let runtime = if wasi { Some(engine.runtime()?) } else { None };
        Ok(Arc::new(Module { pre, router, runtime, engine: engine.clone() }))
    }

    pub fn hooks(&self) -> u32 {
        self.router.hooks()
    }
}

fn imports_wasi(engine: &Engine, component: &Component) -> bool {
    component.component_type().imports(engine.wasmtime()).any(|(name, _)| name.starts_with("wasi:"))
}
