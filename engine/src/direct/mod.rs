// SPDX-License-Identifier: Apache-2.0
//! The short way into a guest whose component is one core module that imports nothing: most middleware.
//!
//! Its component says only which core functions the hooks are, so the engine calls these itself. That saves the component instance (half
//! of what a call costs), and it puts the guest's whole state within reach: one memory, its globals, tables that nothing changes. After a
//! call that state can be put back to what it was before, which costs a tenth of a new instance and leaves as little behind.
//!
//! `plan` finds out in the compiler process whether a component is of this kind; `rewrite` adds to its core module a function for each
//! hook, the driver, which runs everything of a call that is guest code (allocating for the parameters, the hook, post-return) within one
//! activation; `call` is the host's side of a driver; `lift` reads the results; `image` puts memory back. The rules of the canonical ABI
//! are kept: what a guest sees is what it would see as a component, and what is refused is refused with the same words.

pub mod artifact;
pub mod call;
pub mod image;
mod lift;
pub mod plan;
mod rewrite;

use crate::direct::artifact::Direct;
use crate::direct::call::Shape;
use crate::error::{Error, ErrorKind, Result};
use crate::instance::Host;
use image::Image;
use std::sync::OnceLock;
use wasmtime::{Engine, Instance, InstancePre, Linker, Memory, ModuleExport, Store, TypedFunc};

/// Whose functions a driver imports.
const HOST_MODULE: &str = "sandgate";
const MEMORY_EXPORT: &str = "sandgate:memory";

/// A driver: whether the globals are to be put back first.
type Driver = TypedFunc<u32, ()>;

/// The core module of a component, with its drivers.
pub struct Module {
    pre: InstancePre<Host>,
    memory: ModuleExport,
    on_request: Option<(ModuleExport, Shape)>,
    on_response: Option<(ModuleExport, Shape)>,
    restorable: bool,
    /// The memory of a new instance: the same for all of them, since nothing is imported and nothing runs at the start.
    image: OnceLock<Option<Image>>,
}

impl Module {
    /// # Safety
    /// `direct` must come from [`plan::compile`].
    pub unsafe fn load(engine: &Engine, linker: &Linker<Host>, direct: &Direct) -> Result<Module> {
        let broken =
            |cause: wasmtime::Error| Error::with_cause(ErrorKind::Unsupported, "the compiled code cannot be loaded", &cause);
        // SAFETY: promised by the caller.
        let module = unsafe { wasmtime::Module::deserialize(engine, direct.code) }.map_err(broken)?;
        let export = |name: &str| {
            module.get_export_index(name).ok_or_else(|| Error::internal(format!("the compiled code has no export `{name}`")))
        };
        let hook = |shape: Option<Shape>| shape.map(|shape| Ok((export(shape.driver())?, shape))).transpose();
        Ok(Module {
            memory: export(MEMORY_EXPORT)?,
            on_request: hook(direct.on_request)?,
            on_response: hook(direct.on_response)?,
            restorable: direct.restorable,
            pre: linker.instantiate_pre(&module).map_err(broken)?,
            image: OnceLock::new(),
        })
    }

    pub fn on_request(&self) -> Option<&(ModuleExport, Shape)> {
        self.on_request.as_ref()
    }

    pub fn on_response(&self) -> Option<&(ModuleExport, Shape)> {
        self.on_response.as_ref()
    }
}

/// The host functions of the drivers.
pub fn linker(engine: &Engine) -> wasmtime::Result<Linker<Host>> {
    let mut linker = Linker::new(engine);
    call::link(&mut linker)?;
    Ok(linker)
}

/// An instance of such a module, in its store.
#[derive(Clone, Copy)]
pub struct Running {
    instance: Instance,
    pub memory: Memory,
    /// The globals are to be put back before the next call.
    stale: bool,
}

impl Running {
    pub async fn new(module: &Module, store: &mut Store<Host>) -> wasmtime::Result<Running> {
        let instance = module.pre.instantiate_async(&mut *store).await?;
        let memory = instance.get_module_export(&mut *store, &module.memory).and_then(wasmtime::Extern::into_memory);
        let memory = memory.ok_or_else(|| wasmtime::format_err!("the memory is gone"))?;
        if module.restorable {
            module.image.get_or_init(|| Image::of(memory.data(&*store)));
        }
        Ok(Running { instance, memory, stale: false })
    }

    /// The driver of a hook, and its argument.
    pub fn driver(&mut self, store: &mut Store<Host>, hook: &ModuleExport) -> wasmtime::Result<(Driver, u32)> {
        let function = self.instance.get_module_export(&mut *store, hook).and_then(wasmtime::Extern::into_func);
        let function = function.ok_or_else(|| wasmtime::format_err!("the driver is gone"))?;
        Ok((function.typed(&*store)?, u32::from(std::mem::take(&mut self.stale))))
    }

    /// Puts the instance back to what it was when it was made. False when that cannot be done, or costs more than a new one.
    pub fn restore(&mut self, module: &Module, store: &mut Store<Host>) -> bool {
        let Some(Some(image)) = module.image.get() else { return false };
        self.stale = true;
        image.restore(self.memory.data_mut(store))
    }
}
