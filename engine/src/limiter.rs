// SPDX-License-Identifier: Apache-2.0
//! Holds a store to its memory: one sum over all linear memories, and a bound on tables.

use crate::engine::{CORE_INSTANCES_PER_COMPONENT, MEMORIES_PER_COMPONENT, TABLE_ELEMENTS_MAX, TABLES_PER_COMPONENT};
use crate::instance::Shared;
use std::sync::Arc;
use wasmtime::{Error, ResourceLimiter, Result};

pub struct Limiter {
    shared: Arc<Shared>,
    /// The growth Wasmtime is about to try; taken back if that fails.
    pending: u64,
}

impl Limiter {
    pub fn new(shared: Arc<Shared>) -> Limiter {
        Limiter { shared, pending: 0 }
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        let bytes = desired.saturating_sub(current) as u64;
        let allowed = self.shared.meter.grow_memory(bytes);
        self.pending = if allowed { bytes } else { 0 };
        Ok(allowed)
    }

    /// Beyond the memory's own maximum, beyond the pool's slot, or the system has none: for the guest all the same.
    fn memory_grow_failed(&mut self, _error: Error) -> Result<()> {
        self.shared.meter.shrink_memory(std::mem::take(&mut self.pending));
        self.shared.meter.deny_memory();
        Ok(())
    }

    /// Tables are pooled with a fixed number of elements each; what is larger could not be instantiated either.
    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        let allowed = desired <= TABLE_ELEMENTS_MAX;
        if !allowed {
            self.shared.meter.deny_memory();
        }
        Ok(allowed)
    }

    fn instances(&self) -> usize {
        CORE_INSTANCES_PER_COMPONENT as usize + 1
    }

    fn tables(&self) -> usize {
        TABLES_PER_COMPONENT as usize
    }

    fn memories(&self) -> usize {
        MEMORIES_PER_COMPONENT as usize
    }
}
