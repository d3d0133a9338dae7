// SPDX-License-Identifier: Apache-2.0
//! wasi:logging/logging@0.1.0-draft: messages become log lines, within the limits of all output of a call.

use crate::c_types::LogLevel;
use crate::instance::Host;
use wasmtime::component::{ComponentType, Lift, Linker};

pub const PREFIX: &str = "wasi:logging/";
const INTERFACE: &str = "wasi:logging/logging@0.1.0-draft";

#[derive(ComponentType, Lift, Clone, Copy)]
#[allow(dead_code)] // lifted, never written out
#[component(enum)]
#[repr(u8)]
enum Level {
    #[component(name = "trace")]
    Trace,
    #[component(name = "debug")]
    Debug,
    #[component(name = "info")]
    Info,
    #[component(name = "warn")]
    Warn,
    #[component(name = "error")]
    Error,
    #[component(name = "critical")]
    Critical,
}

impl From<Level> for LogLevel {
    fn from(level: Level) -> LogLevel {
        match level {
            Level::Trace => LogLevel::Trace,
            Level::Debug => LogLevel::Debug,
            Level::Info => LogLevel::Info,
            Level::Warn => LogLevel::Warn,
            Level::Error => LogLevel::Error,
            Level::Critical => LogLevel::Critical,
        }
    }
}

pub fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    linker.instance(INTERFACE)?.func_wrap("log", |store, (level, context, message): (Level, String, String)| {
        store.data().shared.log.message(level.into(), &context, &message);
        Ok(())
    })
}
