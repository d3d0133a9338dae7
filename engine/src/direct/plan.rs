// SPDX-License-Identifier: Apache-2.0
//! Whether a component is one core module without imports, and which of its functions are what. Wasmtime's own translator resolves how
//! the parts of the component are wired, so that nothing is guessed from names. Only in the compiler process.

use super::artifact::Direct;
use super::call::Shape;
use super::rewrite::{self, Hook, Wiring};
use crate::abi::{router_middleware, vllm_middleware};
use crate::engine::{ADAPTER_PROPOSALS, Engine, PROPOSALS};
use wasmparser::Validator;
use wasmtime_environ::component::{
    CanonicalOptions, CanonicalOptionsDataModel, Component, ComponentTypesBuilder, CoreDef, CoreExport, Export, ExportIndex,
    ExportItem, GlobalInitializer, InstantiateModule, LinearMemoryOptions, StaticModuleIndex, StringEncoding, Translator,
};
use wasmtime_environ::{EntityIndex, ScopeVec, Tunables};

/// Larger modules are compiled once only: they are not called for being short.
const WASM_BYTES_MAX: usize = 1 << 20;

/// The code of the core module, when there is a short way to it.
pub struct Compiled {
    pub on_request: Option<Shape>,
    pub on_response: Option<Shape>,
    pub restorable: bool,
    pub code: Vec<u8>,
}

impl Compiled {
    pub fn parts(&self) -> Direct<'_> {
        Direct { on_request: self.on_request, on_response: self.on_response, restorable: self.restorable, code: &self.code }
    }
}

/// `component` has been validated and compiled. `None` whenever anything is unusual.
pub fn compile(engine: &Engine, component: &[u8]) -> Option<Compiled> {
    if component.len() > WASM_BYTES_MAX {
        return None;
    }
    let plan = plan(component)?;
    let code = engine.wasmtime().precompile_module(&plan.wasm).ok()?;
    Some(Compiled { on_request: plan.on_request, on_response: plan.on_response, restorable: plan.restorable, code })
}

struct Plan {
    on_request: Option<Shape>,
    on_response: Option<Shape>,
    restorable: bool,
    wasm: Vec<u8>,
}

fn plan(component: &[u8]) -> Option<Plan> {
    let tunables = Tunables::default_host();

    let mut validator = Validator::new_with_features(PROPOSALS.union(ADAPTER_PROPOSALS));
    let mut types = ComponentTypesBuilder::new(&validator);
    let scope = ScopeVec::new();
    let (translation, modules) = Translator::new(&tunables, &mut validator, &mut types, &scope).translate(component).ok()?;
    let parts = Parts::of(&translation.component)?;
    let module = &modules[parts.module];
    let hooks = Hooks::find(&translation.component, &parts)?;
    let wiring = Wiring { realloc: parts.realloc, hooks: hooks.all().collect() };
    let rewritten = rewrite::rewrite(module.wasm, &wiring)?;
    Some(Plan {
        on_request: hooks.on_request.map(|hook| hook.shape),
        on_response: hooks.on_response.map(|hook| hook.shape),
        restorable: rewritten.restorable,
        wasm: rewritten.wasm,
    })
}

/// The one core instance of the component and what is extracted from it.
struct Parts {
    module: StaticModuleIndex,
    realloc: u32,
    post_returns: Vec<u32>,
}

impl Parts {
    /// `None`: the component is made of more.
    fn of(component: &Component) -> Option<Parts> {
        if !component.imports.is_empty() {
            return None;
        }
        let mut module = None;
        let mut memories = 0;
        let mut reallocs = Vec::new();
        let mut post_returns = Vec::new();
        for initializer in &component.initializers {
            match initializer {
                GlobalInitializer::InstantiateModule(InstantiateModule::Static(index, arguments), _)
                    if module.is_none() && arguments.is_empty() =>
                {
                    module = Some(*index);
                }
                GlobalInitializer::ExtractMemory(_) => memories += 1,
                GlobalInitializer::ExtractRealloc(extract) => reallocs.push(function(&extract.def)?),
                GlobalInitializer::ExtractPostReturn(extract) => post_returns.push(function(&extract.def)?),
                _ => return None,
            }
        }
        let [realloc] = reallocs[..] else { return None };
        (memories == 1).then_some(Parts { module: module?, realloc, post_returns })
    }
}

/// The index of a function of the core module.
fn function(definition: &CoreDef) -> Option<u32> {
    match definition {
        CoreDef::Export(CoreExport { item: ExportItem::Index(EntityIndex::Function(index)), .. }) => Some(index.as_u32()),
        _ => None,
    }
}

#[derive(Default)]
struct Hooks {
    on_request: Option<Hook>,
    on_response: Option<Hook>,
}

impl Hooks {
    /// In the order in which `abi::Exports::find` looks for them. `None`: there is none, or one that cannot be called directly.
    fn find(component: &Component, parts: &Parts) -> Option<Hooks> {
        let router = |name: &router_middleware::HookName, shape| {
            let interface = |package| format!("{package}/{}", name.interface);
            let found =
                router_middleware::PACKAGES.into_iter().find_map(|package| exported(component, &interface(package), name.function));
            found.map(|export| hook(component, parts, export, shape)).map_or(Some(None), |hook| hook.map(Some))
        };
        let hooks = Hooks {
            on_request: router(&router_middleware::ON_REQUEST, Shape::RouterRequest)?,
            on_response: router(&router_middleware::ON_RESPONSE, Shape::RouterResponse)?,
        };
        if hooks.on_request.is_some() || hooks.on_response.is_some() {
            return Some(hooks);
        }
        let export = exported(component, vllm_middleware::INTERFACE, vllm_middleware::FUNCTION)?;
        Some(Hooks { on_request: Some(hook(component, parts, export, Shape::VllmRequest)?), on_response: None })
    }

    fn all(&self) -> impl Iterator<Item = Hook> {
        [self.on_request, self.on_response].into_iter().flatten()
    }
}

fn exported<'a>(component: &'a Component, interface: &str, name: &str) -> Option<&'a Export> {
    let item = |index: ExportIndex| &component.export_items[index];
    let (instance, _) = component.exports.get(interface, &wasmtime_environ::component::NameMapNoIntern)?;
    let Export::Instance { exports, .. } = item(*instance) else { return None };
    let (function, _) = exports.get(name, &wasmtime_environ::component::NameMapNoIntern)?;
    Some(item(*function))
}

fn hook(component: &Component, parts: &Parts, export: &Export, shape: Shape) -> Option<Hook> {
    let Export::LiftedFunction { func, options, .. } = export else { return None };
    let options: &CanonicalOptions = &component.options[*options];
    let CanonicalOptionsDataModel::LinearMemory(LinearMemoryOptions { memory: Some(_), realloc: Some(_) }) = options.data_model
    else {
        return None;
    };
    if options.async_ || options.callback.is_some() || options.string_encoding != StringEncoding::Utf8 {
        return None;
    }
    let post_return = match options.post_return {
        None => None,
        Some(index) => Some(*parts.post_returns.get(index.as_u32() as usize)?),
    };
    Some(Hook { function: function(func)?, post_return, shape })
}
