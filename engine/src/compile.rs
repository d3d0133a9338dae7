// SPDX-License-Identifier: Apache-2.0
//! From WebAssembly to native code, by way of a component: only in the compiler process, because neither time nor memory is bounded.

use crate::abi::router_middleware::{HookName, ON_REQUEST, ON_RESPONSE, PACKAGES};
use crate::abi::{WANTED, vllm_middleware};
use crate::bulk_memory;
use crate::direct::{artifact, plan};
use crate::engine::{CORE_INSTANCES_PER_COMPONENT, Engine, PROPOSALS, TABLE_ELEMENTS_MAX};
use crate::error::{Error, ErrorKind, Result};
use std::borrow::Cow;
use std::collections::HashSet;
use wasi_preview1_component_adapter_provider as adapter;
use wasmparser::{Encoding, ExternalKind, Parser, Payload, Validator, WasmFeatures};
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::Resolve;

const WIT: &str = include_str!("../wit/router_middleware.wit");
const KEY_VALUE_DRAFT_WIT: &str = include_str!("../wit/host/keyvalue-draft.wit");
const KEY_VALUE_DRAFT2_WIT: &str = include_str!("../wit/host/keyvalue-draft2.wit");
const CONFIG_WIT: &str = include_str!("../wit/host/config.wit");
const LOGGING_WIT: &str = include_str!("../wit/host/logging.wit");
const WIT_PACKAGE: &str = "sgl:router";
const VLLM_WIT: &str = include_str!("../wit/vllm_router_middleware.wit");

/// The largest guests in use are JavaScript engines of 12 MiB; the validator's own limit on a function body is 7.6 MB.
pub const WASM_BYTES_MAX: usize = 128 << 20;
/// Over all modules of a component. A JavaScript engine has 15,000; each costs the compiler some hundred bytes at least.
const FUNCTIONS_MAX: u64 = 250_000;

/// Compiles a component, or a core module with the canonical export names or an embedded `component-type` section.
///
/// Bulk memory instructions are rewritten to work in pieces, those of the preview 1 adapter included.
pub fn compile(engine: &Engine, wasm: &[u8]) -> Result<Vec<u8>> {
    if wasm.len() > WASM_BYTES_MAX {
        return Err(unsupported(format!("the file has {} bytes, the limit is {WASM_BYTES_MAX}", wasm.len())));
    }
    if !wasm.starts_with(b"\0asm") {
        return Err(invalid("this is not a WebAssembly binary: it does not start with the bytes 00 61 73 6d"));
    }
    let survey = Survey::of(wasm, engine.memory_bytes_max())?;
    validate(wasm)?;
    let component = if survey.is_component { Cow::Borrowed(wasm) } else { Cow::Owned(componentize(wasm, &survey)?) };
    let preemptible = bulk_memory::rewrite(&component, bulk_memory::CHUNK_BYTES)?;
    if let Cow::Owned(rewritten) = &preemptible {
        Survey::of(rewritten, engine.memory_bytes_max())?;
        validate(rewritten).map_err(|cause| {
            unsupported(format!("the module has no room for bulk memory instructions in pieces: {}", cause.message))
        })?;
    }
    let code = engine
        .wasmtime()
        .precompile_component(&preemptible)
        .map_err(|cause| Error::with_cause(ErrorKind::Unsupported, "the module cannot be compiled", &cause))?;
    let direct = plan::compile(engine, &preemptible);
    Ok(match &direct {
        Some(direct) => artifact::join(code, &direct.parts()),
        None => code,
    })
}

/// What a first look over the sections finds: enough to refuse what is too large, and to choose how to make a component.
#[derive(Default)]
struct Survey {
    is_component: bool,
    has_component_type: bool,
    imports: Vec<(String, String)>,
    exports: HashSet<String>,
}

impl Survey {
    fn of(wasm: &[u8], memory_bytes_max: u64) -> Result<Survey> {
        let mut survey = Survey::default();
        let mut functions = 0u64;
        let mut modules = 0u32;
        let mut outermost = true;
        for payload in Parser::new(0).parse_all(wasm) {
            let payload = payload.map_err(|cause| invalid(format!("the binary is malformed: {cause}")))?;
            match payload {
                Payload::Version { encoding, .. } if outermost => {
                    survey.is_component = encoding == Encoding::Component;
                    outermost = false;
                }
                Payload::ModuleSection { .. } => modules += 1,
                Payload::FunctionSection(section) => functions += u64::from(section.count()),
                Payload::MemorySection(section) => {
                    for memory in section.into_iter().flatten() {
                        let bytes = u128::from(memory.initial) << memory.page_size_log2.unwrap_or(16);
                        if bytes > u128::from(memory_bytes_max) {
                            return Err(unsupported(format!(
                                "a memory begins with {bytes} bytes, the largest of this process is {memory_bytes_max}"
                            )));
                        }
                    }
                }
                Payload::TableSection(section) => {
                    for table in section.into_iter().flatten() {
                        if table.ty.initial > TABLE_ELEMENTS_MAX as u64 {
                            let text =
                                format!("a table begins with {} elements, the limit is {TABLE_ELEMENTS_MAX}", table.ty.initial);
                            return Err(unsupported(text));
                        }
                    }
                }
                Payload::ImportSection(section) if !survey.is_component => {
                    for import in section.into_imports() {
                        let import = import.map_err(|cause| invalid(format!("the binary is malformed: {cause}")))?;
                        survey.imports.push((import.module.to_owned(), import.name.to_owned()));
                    }
                }
                Payload::ExportSection(section) if !survey.is_component => {
                    for export in section {
                        let export = export.map_err(|cause| invalid(format!("the binary is malformed: {cause}")))?;
                        if export.kind == ExternalKind::Func {
                            survey.exports.insert(export.name.to_owned());
                        }
                    }
                }
                Payload::CustomSection(section) if section.name().starts_with("component-type") => {
                    survey.has_component_type = true;
                }
                _ => {}
            }
            if functions > FUNCTIONS_MAX {
                return Err(unsupported(format!("there are more than {FUNCTIONS_MAX} functions")));
            }
            if modules > CORE_INSTANCES_PER_COMPONENT {
                return Err(unsupported(format!("there are more than {CORE_INSTANCES_PER_COMPONENT} modules in the component")));
            }
        }
        Ok(survey)
    }
}

/// Tells what is broken from what merely uses a proposal that is off: the latter would pass if everything were on.
fn validate(wasm: &[u8]) -> Result<()> {
    let Err(cause) = Validator::new_with_features(PROPOSALS).validate_all(wasm) else { return Ok(()) };
    if Validator::new_with_features(WasmFeatures::all()).validate_all(wasm).is_ok() {
        Err(unsupported(format!("the module uses a WebAssembly proposal that is off: {cause}")))
    } else {
        Err(invalid(format!("the module is not valid: {cause}")))
    }
}

/// Makes a core module into a component. Preview 1 imports are served by the adapter for reactors: routers call exports, they never
/// run a `_start`.
fn componentize(wasm: &[u8], survey: &Survey) -> Result<Vec<u8>> {
    let module = if survey.has_component_type { Cow::Borrowed(wasm) } else { Cow::Owned(embed_world(wasm, survey)?) };
    check_preview1(survey)?;
    let encode = || {
        ComponentEncoder::default()
            .validate(true)
            // A runtime such as Go's allocates only after `_initialize`, during which the adapter wants its own memory already.
            .realloc_via_memory_grow(true)
            .module(&module)?
            .adapter(adapter::WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, adapter::WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER)?
            .encode()
    };
    encode().map_err(|cause| {
        let text = format!("{cause:#}");
        let kind = if text.contains("import") { ErrorKind::Link } else { ErrorKind::Exports };
        Error::new(kind, format!("the core module cannot be made into a component: {text}"))
    })
}

/// Adds the `component-type` section that a module with the canonical export names lacks: a world of exactly what it exports.
fn embed_world(wasm: &[u8], survey: &Survey) -> Result<Vec<u8>> {
    let exports =
        |package: &str, hook: &HookName| survey.exports.contains(&format!("{package}/{}#{}", hook.interface, hook.function));
    let wit_of = |package: &str| WIT.replace(&format!("package {WIT_PACKAGE};"), &format!("package {package};"));
    let router = PACKAGES.iter().find_map(|package| match (exports(package, &ON_REQUEST), exports(package, &ON_RESPONSE)) {
        (true, true) => Some((wit_of(package), "both")),
        (true, false) => Some((wit_of(package), "request-only")),
        (false, true) => Some((wit_of(package), "response-only")),
        (false, false) => None,
    });
    let vllm = || {
        let name = format!("{}#{}", vllm_middleware::INTERFACE, vllm_middleware::FUNCTION);
        survey.exports.contains(&name).then(|| (VLLM_WIT.to_owned(), "middleware"))
    };
    let Some((wit, world)) = router.or_else(vllm) else {
        return Err(Error::new(
            ErrorKind::Exports,
            format!(
                "the core module serves nothing: {WANTED}. A core module exports them as functions named \
                 `sgl:router/middleware-on-request#on-request` and `sgl:router/middleware-on-response#on-response`; a module made \
                 with bindings becomes a component by `wasm-tools component new`"
            ),
        ));
    };
    let imports = host_interfaces(survey)?;
    let mut module = wasm.to_vec();
    embed(&mut module, &wit, world, &imports).map_err(|cause| Error::internal(format!("the world cannot be embedded: {cause}")))?;
    Ok(module)
}

/// The host interfaces that a core module imports by their names, each once. Whether they are granted is decided when the code is
/// loaded; what is neither one of them nor preview 1 is refused.
fn host_interfaces(survey: &Survey) -> Result<Vec<&str>> {
    let mut interfaces: Vec<&str> = Vec::new();
    for (module, name) in &survey.imports {
        if module == adapter::WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME || interfaces.contains(&module.as_str()) {
            continue;
        }
        if host_package(module).is_none() {
            return Err(Error::new(ErrorKind::Link, format!("the import `{module}` `{name}` is not granted")));
        }
        interfaces.push(module);
    }
    Ok(interfaces)
}

/// The interface file of a host interface by its full name, and the name of that package.
fn host_package(interface: &str) -> Option<(&'static str, String)> {
    let (package, rest) = interface.split_once('/')?;
    let (name, version) = rest.split_once('@')?;
    let wit = match (package, name, version) {
        ("wasi:keyvalue", "store" | "atomics" | "batch", "0.2.0-draft") => KEY_VALUE_DRAFT_WIT,
        ("wasi:keyvalue", "store" | "atomics" | "batch", "0.2.0-draft2") => KEY_VALUE_DRAFT2_WIT,
        ("wasi:config", "store", "0.2.0-rc.1") => CONFIG_WIT,
        ("wasi:logging", "logging", "0.1.0-draft") => LOGGING_WIT,
        _ => return None,
    };
    Some((wit, format!("{package}@{version}")))
}

fn embed(module: &mut Vec<u8>, wit: &str, world: &str, imports: &[&str]) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let mut resolve = Resolve::default();
    let mut packages = HashSet::new();
    let mut lines = String::new();
    for interface in imports {
        let (text, package) = host_package(interface).ok_or("an unknown host interface")?;
        lines += &format!("  import {interface};\n");
        if packages.insert(package.clone()) {
            resolve.push_str(format!("{package}.wit"), text)?;
        }
    }
    let head = format!("world {world} {{\n");
    let wit = wit.replace(&head, &format!("{head}{lines}"));
    let id = resolve.push_str("middleware.wit", &wit)?;
    let world = resolve.select_world(&[id], Some(world))?;
    wit_component::embed_component_metadata(module, &resolve, world, StringEncoding::UTF8)?;
    Ok(())
}

/// The encoder's own words for an unknown preview 1 function do not name what to do: refuse it here, by name.
fn check_preview1(survey: &Survey) -> Result<()> {
    let wanted: Vec<_> =
        survey.imports.iter().filter(|(module, _)| module == adapter::WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let known = Survey::of(adapter::WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER, u64::MAX)?.exports;
    match wanted.iter().find(|(_, name)| !known.contains(name)) {
        Some((module, name)) => Err(Error::new(ErrorKind::Link, format!("the import `{module}` `{name}` is not granted"))),
        None => Ok(()),
    }
}

fn invalid(text: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidModule, text)
}

fn unsupported(text: impl Into<String>) -> Error {
    Error::new(ErrorKind::Unsupported, text)
}
