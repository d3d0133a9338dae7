// SPDX-License-Identifier: Apache-2.0
//! The process's engine: Wasmtime's configuration, the pool, the linkers and the side runtime of WASI's timers.

use crate::c_types::{EngineConfig, KeyValueFn, LogFn, WakeFn};
use crate::direct;
use crate::error::{Error, ErrorKind, Result};
use crate::host::logging;
use crate::instance::Host;
use crate::wasi;
use std::ffi::c_void;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::runtime::{Handle, Runtime};
use wasmtime::component::Linker;
use wasmtime::{Config, Enabled, InstanceAllocationStrategy, PoolingAllocationConfig, WasmBacktraceDetails, WasmFeatures};

/// The proposals guests may use. Everything else is off until it has a reason and a test.
pub const PROPOSALS: WasmFeatures = WasmFeatures::MUTABLE_GLOBAL
    .union(WasmFeatures::FLOATS)
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::BULK_MEMORY_OPT)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::CALL_INDIRECT_OVERLONG)
    .union(WasmFeatures::SIMD)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::COMPONENT_MODEL);
/// For code that Wasmtime itself writes, not for guests, whom `compile` holds to the list above before: the adapters between the parts of
/// a composed component, which reach into the memories of both. Without it Wasmtime panics when it makes one.
pub const ADAPTER_PROPOSALS: WasmFeatures = WasmFeatures::MULTI_MEMORY;

/// A component made from a preview 1 module has 4 core instances, a C++ component with its shims 3, a composed one some of each.
pub const CORE_INSTANCES_PER_COMPONENT: u32 = 32;
/// All but composed components have one.
pub const MEMORIES_PER_COMPONENT: u32 = 8;
/// The guest's function table, the adapter's shim table, and one for each further part.
pub const TABLES_PER_COMPONENT: u32 = 16;
/// Function pointers of a JavaScript engine or a Go program: tens of thousands. 1 MiB of address space per table.
pub const TABLE_ELEMENTS_MAX: usize = 128 << 10;

/// Pool slots per instance. They are only address space (4 GiB a memory, 1 MiB a table) until touched; typical guests use 1 and 2.
const POOLED_MEMORIES_PER_INSTANCE: u32 = 2;
const POOLED_TABLES_PER_INSTANCE: u32 = 4;
const POOLED_CORE_INSTANCES_PER_INSTANCE: u32 = 8;
/// A bound on counting only: nothing is reserved for core instances.
const CORE_INSTANCE_BYTES_MAX: usize = 4 << 20;
/// Half of a user's 47-bit address space. More memories than fit there get one slot per instance.
const ADDRESS_SPACE_MAX: u64 = 64 << 40;
const MEMORY_SLOT_BYTES: u64 = (4 << 30) + (32 << 20);
/// Pages kept, zeroed or restored in place, when a slot is given back: a fault costs more than resetting 4 KiB.
const KEEP_RESIDENT_BYTES: usize = 256 << 10;
const STACK_KEEP_RESIDENT_BYTES: usize = 16 << 10;
/// Room on a fiber's stack for host functions, the log callback among them.
const HOST_STACK_BYTES: u64 = 1 << 20;
/// Enough to see where a guest trapped; collecting 20 frames makes a trap cost 300 us.
const BACKTRACE_FRAMES: usize = 4;

const STACK_BYTES: std::ops::RangeInclusive<u64> = (64 << 10)..=(64 << 20);
const WASM_PAGE_BYTES: u64 = 64 << 10;
const MEMORY_BYTES_LIMIT: u64 = 4 << 30;

/// Raise when what sg_compile makes changes while Wasmtime stays: cached code of older builds is then compiled again.
const CODE_FORMAT: u32 = 3;

pub struct Engine {
    engine: wasmtime::Engine,
    fingerprint: String,
    memory_bytes_max: u64,
    wake: Option<WakeFn>,
    wake_user: *mut c_void,
    log: Option<LogFn>,
    key_value: Option<KeyValueFn>,
    /// For modules that import nothing of WASI 0.2: their instances stay free of its async host functions.
    bare_linker: Linker<Host>,
    wasi_linker: OnceLock<Linker<Host>>,
    /// For core modules that are called without their component.
    direct_linker: wasmtime::Linker<Host>,
    runtime: Mutex<Option<Runtime>>,
}

// SAFETY: `wake_user` is only handed back to `wake`, which the header says is called from any thread.
unsafe impl Send for Engine {}
unsafe impl Sync for Engine {}

impl Engine {
    pub fn new(config: &EngineConfig) -> Result<Arc<Engine>> {
        check(config)?;
        let engine = wasmtime::Engine::new(&wasmtime_config(config))
            .map_err(|cause| Error::with_cause(ErrorKind::Internal, "the engine could not be started", &cause))?;
        let mut bare_linker = Linker::new(&engine);
        logging::link(&mut bare_linker)
            .map_err(|cause| Error::with_cause(ErrorKind::Internal, "the logging interface could not be linked", &cause))?;
        Ok(Arc::new(Engine {
            fingerprint: fingerprint(&engine),
            memory_bytes_max: config.memory_bytes_max,
            wake: config.wake,
            wake_user: config.wake_user,
            log: config.log,
            key_value: config.key_value,
            bare_linker,
            wasi_linker: OnceLock::new(),
            direct_linker: direct::linker(&engine)
                .map_err(|cause| Error::with_cause(ErrorKind::Internal, "the drivers' functions could not be linked", &cause))?,
            runtime: Mutex::new(None),
            engine,
        }))
    }

    pub fn wasmtime(&self) -> &wasmtime::Engine {
        &self.engine
    }

    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    pub fn memory_bytes_max(&self) -> u64 {
        self.memory_bytes_max
    }

    pub fn wake(&self) -> (Option<WakeFn>, *mut c_void) {
        (self.wake, self.wake_user)
    }

    pub fn log(&self) -> Option<LogFn> {
        self.log
    }

    pub fn key_value(&self) -> Option<KeyValueFn> {
        self.key_value
    }

    pub fn bare_linker(&self) -> &Linker<Host> {
        &self.bare_linker
    }

    pub fn direct_linker(&self) -> &wasmtime::Linker<Host> {
        &self.direct_linker
    }

    pub fn wasi_linker(&self) -> Result<&Linker<Host>> {
        if let Some(linker) = self.wasi_linker.get() {
            return Ok(linker);
        }
        let mut linker = self.bare_linker.clone();
        wasi::link(&mut linker)
            .map_err(|cause| Error::with_cause(ErrorKind::Internal, "the WASI world could not be linked", &cause))?;
        Ok(self.wasi_linker.get_or_init(|| linker))
    }

    /// WASI's clocks and its denied requests need an entered tokio runtime with a time driver. It is started with the first module
    /// that imports WASI. No guest ever runs on it.
    pub fn runtime(&self) -> Result<Handle> {
        let mut runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = &*runtime {
            return Ok(runtime.handle().clone());
        }
        let started = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(1)
            .thread_name("sandgate-timers")
            .enable_time()
            .build()
            .map_err(|cause| Error::internal(format!("the thread for timers could not be started: {cause}")))?;
        Ok(runtime.insert(started).handle().clone())
    }
}

fn check(config: &EngineConfig) -> Result<()> {
    let memory = config.memory_bytes_max;
    if memory == 0 || !memory.is_multiple_of(WASM_PAGE_BYTES) || memory > MEMORY_BYTES_LIMIT {
        let text = format!("memory_bytes_max is {memory}: must be a multiple of 64 KiB, at most 4 GiB");
        return Err(Error::new(ErrorKind::Unsupported, text));
    }
    if !STACK_BYTES.contains(&config.stack_bytes) {
        let text = format!("stack_bytes is {}: must be 64 KiB to 64 MiB", config.stack_bytes);
        return Err(Error::new(ErrorKind::Unsupported, text));
    }
    if config.instances_max == 0 || u64::from(config.instances_max) * MEMORY_SLOT_BYTES > ADDRESS_SPACE_MAX {
        let most = ADDRESS_SPACE_MAX / MEMORY_SLOT_BYTES;
        let text = format!("instances_max is {}: must be 1 to {most}", config.instances_max);
        return Err(Error::new(ErrorKind::Unsupported, text));
    }
    Ok(())
}

fn wasmtime_config(config: &EngineConfig) -> Config {
    let mut wasmtime = Config::new();
    wasmtime.wasm_features(WasmFeatures::all(), false);
    wasmtime.wasm_features(PROPOSALS.union(ADAPTER_PROPOSALS), true);
    // Engine A of the design: without component-model async a call costs 1.2 us instead of 1.5 to 2.2.
    wasmtime.concurrency_support(false);
    wasmtime.epoch_interruption(true);
    wasmtime.max_wasm_stack(config.stack_bytes as usize);
    wasmtime.async_stack_size((config.stack_bytes + HOST_STACK_BYTES) as usize);
    wasmtime.wasm_backtrace_max_frames(NonZeroUsize::new(BACKTRACE_FRAMES));
    wasmtime.wasm_backtrace_details(WasmBacktraceDetails::Disable);
    if config.pooling {
        wasmtime.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(config)));
    } else {
        wasmtime.allocation_strategy(InstanceAllocationStrategy::OnDemand);
    }
    wasmtime
}

fn pool(config: &EngineConfig) -> PoolingAllocationConfig {
    let instances = config.instances_max;
    let memories = instances.saturating_mul(POOLED_MEMORIES_PER_INSTANCE);
    let fits = u64::from(memories) * MEMORY_SLOT_BYTES <= ADDRESS_SPACE_MAX;
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(POOLED_CORE_INSTANCES_PER_INSTANCE).max(CORE_INSTANCES_PER_COMPONENT))
        .total_memories(if fits { memories } else { instances })
        .total_tables(instances.saturating_mul(POOLED_TABLES_PER_INSTANCE).max(TABLES_PER_COMPONENT))
        .total_stacks(instances)
        .max_core_instances_per_component(CORE_INSTANCES_PER_COMPONENT)
        .max_memories_per_component(MEMORIES_PER_COMPONENT)
        .max_tables_per_component(TABLES_PER_COMPONENT)
        .max_tables_per_module(TABLES_PER_COMPONENT)
        .max_core_instance_size(CORE_INSTANCE_BYTES_MAX)
        .table_elements(TABLE_ELEMENTS_MAX)
        .max_memory_size(config.memory_bytes_max as usize)
        .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
        .table_keep_resident(KEEP_RESIDENT_BYTES)
        .async_stack_keep_resident(STACK_KEEP_RESIDENT_BYTES)
        .pagemap_scan(if config.pagemap_scan { Enabled::Auto } else { Enabled::No });
    pool
}

/// Everything compiled code depends on: version, target, CPU features and tunables are in Wasmtime's hash; the allocator is not,
/// because code from the compiler process (no pool) must load here.
pub fn fingerprint(engine: &wasmtime::Engine) -> String {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    CODE_FORMAT.hash(&mut hasher);
    // Set by tools/build_engine: the key of all sources, so that a change of the componentizer counts as well.
    option_env!("SANDGATE_ENGINE_KEY").hash(&mut hasher);
    format!("sandgate-engine {} {:016x}", env!("CARGO_PKG_VERSION"), hasher.finish())
}
