// SPDX-License-Identifier: Apache-2.0
//! The border: the functions of `include/sandgate_engine.h`, and nothing but translation. No panic crosses it.
//!
//! What callers must keep to (valid pointers, one thread at a time in an instance, how long records live) is in that header, once.
#![allow(clippy::missing_safety_doc)]

use crate::budget::Budget;
use crate::c_types;
use crate::c_types::{Action, Bytes, BytesList, EngineConfig, KeyValueReply, Poll, Request, Response};
use crate::compile::compile;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::host::Grants;
use crate::host::config::Config;
use crate::host::key_value::Completion;
use crate::inspection::Inspection;
use crate::instance::{Instance, cancelled};
use crate::module::Module;
use std::cell::{Cell, UnsafeCell};
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;
use std::sync::Arc;

/// `sg_instance`. The cells beside the instance let a callback inside a poll ask for the drop.
pub struct InstanceHandle {
    instance: UnsafeCell<Instance>,
    polling: Cell<bool>,
    drop_after_poll: Cell<bool>,
}

/// Runs `make`; puts its value at `out` or returns its error.
unsafe fn produce<T>(out: *mut *mut T, make: impl FnOnce() -> Result<T>) -> *mut Error {
    match guard(make) {
        Ok(value) => {
            // SAFETY: `out` is a valid place, as the header demands.
            unsafe { *out = Box::into_raw(Box::new(value)) };
            null_mut()
        }
        Err(error) => Box::into_raw(Box::new(error)),
    }
}

fn guard<T>(act: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|_| Err(Error::internal("the engine panicked")))
}

/// Frees what `produce` made. Destructors run guest-owned state down, so they are guarded too.
unsafe fn release<T>(handle: *mut T) {
    if !handle.is_null() {
        // SAFETY: made by `produce`, and given back once.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(unsafe { Box::from_raw(handle) })));
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sg_error_get_kind(error: *const Error) -> ErrorKind {
    unsafe { (*error).kind }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sg_error_message(error: *const Error) -> Bytes {
    unsafe { Bytes::of((*error).message.as_bytes()) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sg_error_trap(error: *const Error) -> Bytes {
    unsafe { Bytes::of((*error).trap.as_bytes()) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sg_error_drop(error: *mut Error) {
    unsafe { release(error) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sg_engine_new(config: *const EngineConfig, out: *mut *mut Arc<Engine>) -> *mut Error {
    unsafe { produce(out, || Engine::new(&*config)) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sg_engine_drop(engine: *mut Arc<Engine>) {
    unsafe { release(engine) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sg_engine_tick(engine: *const Arc<Engine>) {
    unsafe { (*engine).wasmtime().increment_epoch() }
}

#[unsafe(no_mangle)]
pub extern "C" fn sg_engine_thread_init() {
    let _ = catch_unwind(wasmtime::Engine::tls_eager_initialize);
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sg_engine_fingerprint(engine: *const Arc<Engine>) -> Bytes {
    unsafe { Bytes::of((*engine).fingerprint().as_bytes()) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sg_compile(engine: *const Arc<Engine>, wasm: Bytes, out: *mut *mut Vec<u8>) -> *mut Error {
    unsafe { produce(out, || compile(&*engine, wasm.as_slice())) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sg_code_bytes(code: *const Vec<u8>) -> Bytes {
    unsafe { Bytes::of(&*code) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sg_code_drop(code: *mut Vec<u8>) {
    unsafe { release(code) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sg_inspect(wasm: Bytes, out: *mut *mut Inspection) -> *mut Error {
    unsafe { produce(out, || Inspection::new(wasm.as_slice())) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sg_inspection_kind(inspection: *const Inspection) -> Bytes {
    unsafe { Bytes::of((*inspection).kind().as_bytes()) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sg_inspection_imports(inspection: *const Inspection) -> BytesList {
    unsafe { (*inspection).imports() }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sg_inspection_exports(inspection: *const Inspection) -> BytesList {
    unsafe { (*inspection).exports() }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sg_inspection_drop(inspection: *mut Inspection) {
    unsafe { release(inspection) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sg_module_load(
    engine: *const Arc<Engine>,
    code: Bytes,
    grants: *const c_types::Grants,
    out: *mut *mut Arc<Module>,
) -> *mut Error {
    unsafe { produce(out, || Module::load(&*engine, code.as_slice(), copy_grants(grants)?)) }
}

unsafe fn copy_grants(grants: *const c_types::Grants) -> Result<Grants> {
    // SAFETY: valid or null, as the header demands.
    let Some(grants) = (unsafe { grants.as_ref() }) else { return Ok(Grants::default()) };
    let text = |bytes: Bytes| {
        let text = std::str::from_utf8(unsafe { bytes.as_slice() });
        text.map(str::to_owned).map_err(|_| Error::internal("the configuration handed to the engine is not UTF-8"))
    };
    let mut config = None;
    if grants.config {
        let entries = unsafe { c_types::slice(grants.config_entries, grants.config_len) };
        let entries: Result<Vec<_>> = entries.iter().map(|entry| Ok((text(entry.name)?, text(entry.value)?))).collect();
        config = Some(Arc::new(Config::new(entries?)));
    }
    Ok(Grants { key_value: grants.key_value, config })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sg_module_drop(module: *mut Arc<Module>) {
    unsafe { release(module) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sg_module_hooks(module: *const Arc<Module>) -> u32 {
    unsafe { (*module).hooks() }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sg_instance_new(
    module: *const Arc<Module>,
    budget: *const Budget,
    token: u64,
    user: *mut c_void,
    out: *mut *mut InstanceHandle,
) -> *mut Error {
    let make = || {
        let instance = unsafe { Instance::new(&*module, *budget, token, user) };
        Ok(InstanceHandle { instance: UnsafeCell::new(instance), polling: Cell::new(false), drop_after_poll: Cell::new(false) })
    };
    unsafe { produce(out, make) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sg_instance_drop(instance: *mut InstanceHandle) {
    if instance.is_null() {
        return;
    }
    // SAFETY: alive until released; the cells are never behind an exclusive reference.
    let handle = unsafe { &*instance };
    if handle.polling.get() {
        handle.drop_after_poll.set(true);
    } else {
        unsafe { release(instance) }
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sg_instance_restore(instance: *mut InstanceHandle) -> bool {
    // SAFETY: no poll runs, says the header.
    unsafe { (*(*instance).instance.get()).restore() }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sg_instance_memory_peak(instance: *const InstanceHandle) -> u64 {
    unsafe { (*(*instance).instance.get()).memory_peak() }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sg_instance_start_on_request(instance: *mut InstanceHandle, request: *const Request) -> *mut Error {
    unsafe { start(|| (*(*instance).instance.get()).start_on_request(&*request)) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sg_instance_start_on_response(instance: *mut InstanceHandle, response: *const Response) -> *mut Error {
    unsafe { start(|| (*(*instance).instance.get()).start_on_response(&*response)) }
}

fn start(act: impl FnOnce() -> Result<()>) -> *mut Error {
    match guard(act) {
        Ok(()) => null_mut(),
        Err(error) => Box::into_raw(Box::new(error)),
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sg_instance_poll(instance: *mut InstanceHandle, error: *mut *mut Error) -> Poll {
    // SAFETY: alive: a drop from inside takes effect below.
    let handle = unsafe { &*instance };
    handle.polling.set(true);
    let result = guard(|| Ok(unsafe { (*handle.instance.get()).poll() }));
    handle.polling.set(false);
    let (code, cause) = match result {
        Ok(result) => (result.code, result.error),
        Err(panic) => (Poll::Failed, Some(panic)),
    };
    let (code, cause) = if handle.drop_after_poll.get() {
        unsafe { release(instance) };
        (Poll::Failed, Some(cancelled()))
    } else {
        (code, cause)
    };
    if let Some(cause) = cause
        && !error.is_null()
    {
        unsafe { *error = Box::into_raw(Box::new(cause)) };
    }
    code
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sg_instance_busy_ns(instance: *const InstanceHandle) -> u64 {
    unsafe { (*(*instance).instance.get()).busy_ns() }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sg_instance_action(instance: *const InstanceHandle) -> *const Action {
    let action = unsafe { (*(*instance).instance.get()).action() };
    action.map_or(std::ptr::null(), |action| action.view() as *const Action)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sg_key_value_finish(completion: *mut Completion, reply: *const KeyValueReply) {
    // SAFETY: made for the callback, and given back once; the reply is valid during this call.
    let _ = catch_unwind(AssertUnwindSafe(|| unsafe { Box::from_raw(completion).finish(&*reply) }));
}
