// SPDX-License-Identifier: Apache-2.0
//! wasi:config/store: what the operator gave the module with its deployment. It never changes while the module is loaded.

use crate::instance::Host;
use wasmtime::component::{ComponentType, Linker, Lower};
use wasmtime::format_err;

/// Equal in all that is used of them.
const INTERFACES: [&str; 2] = ["wasi:config/store@0.2.0-rc.1", "wasi:config/store@0.2.0-draft"];

/// Names and values, in the order of `get-all`.
pub struct Config {
    entries: Vec<(String, String)>,
}

impl Config {
    pub fn new(entries: Vec<(String, String)>) -> Config {
        Config { entries }
    }

    /// Configurations are a handful of lines: a scan costs less than a table.
    fn get(&self, name: &str) -> Option<&String> {
        self.entries.iter().find(|(entry, _)| entry == name).map(|(_, value)| value)
    }
}

/// Never returned: the entries are in memory.
#[derive(ComponentType, Lower)]
#[component(variant)]
enum ConfigError {
    #[allow(dead_code)]
    #[component(name = "upstream")]
    Upstream(String),
    #[allow(dead_code)]
    #[component(name = "io")]
    Io(String),
}

pub fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    for interface in INTERFACES {
        let mut instance = linker.instance(interface)?;
        instance.func_wrap("get", |store, (name,): (String,)| {
            let config = store.data().config.as_ref().ok_or_else(|| format_err!("no configuration is granted"))?;
            Ok((Ok::<_, ConfigError>(config.get(&name).cloned()),))
        })?;
        instance.func_wrap("get-all", |store, (): ()| {
            let config = store.data().config.as_ref().ok_or_else(|| format_err!("no configuration is granted"))?;
            Ok((Ok::<_, ConfigError>(config.entries.clone()),))
        })?;
    }
    Ok(())
}
