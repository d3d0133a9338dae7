// SPDX-License-Identifier: Apache-2.0
//! Host interfaces beyond WASI 0.2: logging, which is always linked because it has no power, and what a module must be granted.
//!
//! Each file links the functions of its WIT (`wit/host/`) by hand: one implementation serves all drafts of an interface. What the
//! services do is C++'s business; here arguments are lifted, bounded and handed over.

pub mod config;
pub mod key_value;
pub mod logging;

use crate::error::{Error, ErrorKind, Result};
use crate::instance::Host;
use config::Config;
use std::sync::Arc;
use wasmtime::component::Linker;

/// `sg_grants`, copied.
#[derive(Default)]
pub struct Grants {
    pub key_value: bool,
    pub config: Option<Arc<Config>>,
}

/// An interface that must be granted, and the line of the deploy request that does it.
struct Grantable {
    prefix: &'static str,
    line: &'static str,
}

const KEY_VALUE: Grantable = Grantable { prefix: "wasi:keyvalue/", line: r#""allow": {"key_value": ["NAME"]}"# };
const CONFIG: Grantable = Grantable { prefix: "wasi:config/", line: r#""config": {"NAME": "VALUE"}"# };

impl Grants {
    /// Refuses an import that is not granted, before the linker would in its own words.
    pub fn check(&self, import: &str) -> Result<()> {
        for (service, granted) in [(KEY_VALUE, self.key_value), (CONFIG, self.config.is_some())] {
            if import.starts_with(service.prefix) && !granted {
                let text = format!("the import `{import}` is not granted; to allow it, deploy the module with {}", service.line);
                return Err(Error::new(ErrorKind::Link, text));
            }
        }
        Ok(())
    }

    /// Adds what is granted to a linker that has the powerless world.
    pub fn link(&self, linker: &mut Linker<Host>) -> wasmtime::Result<()> {
        if self.key_value {
            key_value::link(linker)?;
        }
        if self.config.is_some() {
            config::link(linker)?;
        }
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        !self.key_value && self.config.is_none()
    }
}

/// Whether an import is served by this folder and not by the WASI crates, which need timers.
pub fn serves(import: &str) -> bool {
    [KEY_VALUE.prefix, CONFIG.prefix, logging::PREFIX].iter().any(|prefix| import.starts_with(prefix))
}
