// SPDX-License-Identifier: Apache-2.0
//! Errors as values, classified by what the caller should do.
//!
//! Wasmtime reports everything as one dynamic error. The kind is recovered here, in one place, by downcasting to what Wasmtime
//! and its WASI crates document as public (`Trap`, `PoolConcurrencyLimitError`, `I32Exit`, ...). Messages are for the operator's log.

use crate::budget::{Exhausted, Meter};
use crate::direct::call::Fault;
use std::fmt::Display;
use wasmtime::{PoolConcurrencyLimitError, Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

/// The text of Wasmtime's private `HostcallFuelExhausted`; a test holds on to it, because there is no type to downcast to.
const FUEL_TEXT: &str = "fuel allocated for hostcalls has been exhausted";

/// The trap name of a guest that an import ended: a bad pointer, too many resources, too many random bytes.
const HOST_CALL: &str = "host call failed";

/// `sg_error_kind`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    InvalidModule = 1,
    Unsupported = 2,
    Link = 3,
    Exports = 4,
    Trap = 5,
    Deadline = 6,
    Cpu = 7,
    Memory = 8,
    Stack = 9,
    Exit = 10,
    BadResult = 11,
    TooLarge = 12,
    Capacity = 13,
    Cancelled = 14,
    Internal = 15,
}

/// `sg_error`: what went wrong, in English, and for traps their short name.
#[derive(Clone, Debug)]
pub struct Error {
    pub kind: ErrorKind,
    pub message: String,
    pub trap: String,
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error { kind, message: message.into(), trap: String::new() }
    }

    pub fn internal(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Internal, message)
    }

    /// `kind: what: cause of cause`, for errors whose kind the place that called decides.
    pub fn with_cause(kind: ErrorKind, what: impl Display, cause: &wasmtime::Error) -> Error {
        Error::new(kind, format!("{what}: {}", chain(cause)))
    }

    /// An error out of instantiation or of a call: what the guest did, or ran out of.
    pub fn from_guest(cause: &wasmtime::Error, meter: &Meter) -> Error {
        let text = chain(cause);
        if let Some(exhausted) = cause.downcast_ref::<Exhausted>() {
            return Error::new(exhausted.kind(), text);
        }
        if let Some(exit) = cause.downcast_ref::<I32Exit>() {
            return Error::new(ErrorKind::Exit, format!("the guest called exit with status {}", exit.0));
        }
        if cause.is::<PoolConcurrencyLimitError>() {
            return Error::new(ErrorKind::Capacity, text);
        }
        if cause.is::<wasmtime::OutOfMemory>() {
            return Error::internal(text);
        }
        let fault = cause.downcast_ref::<Fault>();
        if fault == Some(&Fault::TooLarge) {
            return Error::new(ErrorKind::TooLarge, format!("the guest's result is larger than its budget: {}", Fault::TooLarge));
        }
        if text.contains(FUEL_TEXT) {
            return Error::new(ErrorKind::TooLarge, format!("the guest's result is larger than its budget: {text}"));
        }
        let trap = cause.downcast_ref::<Trap>();
        // A guest that is refused memory usually runs into `unreachable` a moment later: name the cause, not the symptom.
        if meter.memory_was_denied() && trap != Some(&Trap::StackOverflow) {
            let budget = meter.budget().memory_bytes;
            return Error::new(ErrorKind::Memory, format!("the guest wanted more than its {budget} bytes of memory: {text}"));
        }
        if let Some(fault) = fault {
            return Error::new(ErrorKind::BadResult, fault.to_string());
        }
        match trap {
            Some(Trap::StackOverflow) => Error::new(ErrorKind::Stack, text),
            Some(trap) => Error { kind: ErrorKind::Trap, message: text, trap: trap_name(*trap) },
            // Raised inside a host function, with the guest on the stack: an import refused its arguments.
            None if cause.is::<WasmBacktrace>() => Error { kind: ErrorKind::Trap, message: text, trap: HOST_CALL.into() },
            None => Error::new(ErrorKind::BadResult, text),
        }
    }
}

/// Wasmtime's text without its prefix; `unreachable` in the one word everybody knows.
fn trap_name(trap: Trap) -> String {
    match trap {
        Trap::UnreachableCodeReached => "unreachable".into(),
        trap => trap.to_string().trim_start_matches("wasm trap: ").into(),
    }
}

/// The whole chain in one line of text: causes joined by `: `, the line breaks of backtraces folded.
pub fn chain(error: &wasmtime::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        if !text.is_empty() {
            text.push_str(": ");
        }
        let mut words = cause.to_string();
        if words.contains('\n') {
            words = words.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
        }
        text.push_str(&words);
    }
    text
}
