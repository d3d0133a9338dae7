// SPDX-License-Identifier: Apache-2.0
//! Compiled code, loaded: imports linked, exports found and type-checked once, so that a call looks nothing up.

use crate::abi::Exports;
use crate::direct;
use crate::direct::artifact;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result, chain};
use crate::host::config::Config;
use crate::host::{self, Grants};
use crate::instance::Host;
use std::borrow::Cow;
use std::sync::Arc;
use tokio::runtime::Handle;
use wasmtime::component::{Component, InstancePre};

pub struct Module {
    /// Code and linked imports: instantiating looks nothing up.
    pub pre: InstancePre<Host>,
    pub exports: Exports,
    /// The short way to its hooks, for modules that have one.
    pub direct: Option<Arc<direct::Module>>,
    pub config: Option<Arc<Config>>,
    /// Entered around polls when the module imports WASI.
    pub runtime: Option<Handle>,
    pub engine: Arc<Engine>,
}

impl Module {
    /// # Safety
    /// `code` must come from [`crate::compile::compile`]: it is native code that will run.
    pub unsafe fn load(engine: &Arc<Engine>, code: &[u8], grants: Grants) -> Result<Arc<Module>> {
        let (code, direct) = artifact::split(code);
        if wasmtime::Engine::detect_precompiled(code).is_none() {
            return Err(Error::new(ErrorKind::InvalidModule, "this is not code that the engine compiled"));
        }
        // SAFETY: promised by the caller.
        let component = unsafe { Component::deserialize(engine.wasmtime(), code) }
            .map_err(|cause| Error::with_cause(ErrorKind::Unsupported, "the compiled code cannot be loaded", &cause))?;
        let wasi = check_imports(engine, &component, &grants)?;
        let powerless = if wasi { engine.wasi_linker()? } else { engine.bare_linker() };
        let mut linker = Cow::Borrowed(powerless);
        if !grants.is_empty() {
            grants
                .link(linker.to_mut())
                .map_err(|cause| Error::with_cause(ErrorKind::Internal, "the granted interfaces could not be linked", &cause))?;
        }
        let pre = linker.instantiate_pre(&component).map_err(|cause| Error::new(ErrorKind::Link, chain(&cause)))?;
        let exports = Exports::find(&pre)?;
        // SAFETY: promised by the caller.
        let direct = direct.map(|direct| unsafe { direct::Module::load(engine.wasmtime(), engine.direct_linker(), &direct) });
        let direct = direct.transpose()?.map(Arc::new);
        let runtime = if wasi { Some(engine.runtime()?) } else { None };
        Ok(Arc::new(Module { pre, exports, direct, config: grants.config, runtime, engine: engine.clone() }))
    }

    pub fn hooks(&self) -> u32 {
        self.exports.hooks()
    }
}

/// Refuses what is not granted; tells whether the component imports WASI 0.2.
fn check_imports(engine: &Engine, component: &Component, grants: &Grants) -> Result<bool> {
    let mut wasi = false;
    for (name, _) in component.component_type().imports(engine.wasmtime()) {
        grants.check(name)?;
        wasi |= name.starts_with("wasi:") && !host::serves(name);
    }
    Ok(wasi)
}
