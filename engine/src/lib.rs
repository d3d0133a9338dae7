// SPDX-License-Identifier: Apache-2.0
//! The engine of Sandgate: Wasmtime behind one small C interface (`include/sandgate_engine.h`).
//!
//! What lives here: compiling and loading guests, stores, budgets, the powerless WASI world, granted host
//! services, and the lifting and lowering of guest
//! ABIs. What must not: HTTP parsing, configuration, policy. Whatever a guest does comes out as a value of [`error::Error`].

pub mod abi;
pub mod budget;
pub mod bulk_memory;
pub mod c_types;
pub mod compile;
pub mod direct;
pub mod engine;
pub mod error;
pub mod ffi;
pub mod host;
pub mod inspection;
pub mod instance;
mod limiter;
mod log_stream;
pub mod module;
mod waker;
mod wasi;
