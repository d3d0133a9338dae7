// SPDX-License-Identifier: Apache-2.0
//! The WASI 0.2 world that every toolchain's guests import, without powers: clocks and random work, output becomes log lines, exit is
//! a failure; there are no files, sockets, names, environment or arguments, and outgoing HTTP is denied.
//!
//! What a store needs for it is made when the guest first calls it, so that guests which only import it pay nothing.

use crate::c_types::LogSource;
use crate::instance::{Host, Shared};
use crate::log_stream::LogStream;
use std::sync::Arc;
use wasmtime::component::{Linker, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView};

/// Handles a guest may hold at once (Wasmtime's default is a million). Each is some hundred bytes of host memory.
pub const RESOURCES_MAX: usize = 1_000;
/// Random bytes per host call: above what any key or seed needs; the host allocates them.
const RANDOM_BYTES_MAX: u64 = 64 << 10;
/// In-memory size of one wasi:http fields resource, head room for the map around 8 KiB of header text.
const FIELDS_BYTES_MAX: usize = 64 << 10;

/// Everything of one store that WASI calls touch.
pub struct Wasi {
    ctx: WasiCtx,
    table: ResourceTable,
    http: WasiHttpCtx,
    hooks: DenyOutgoing,
}

impl Wasi {
    fn new(shared: &Arc<Shared>) -> Wasi {
        let mut table = ResourceTable::new();
        table.set_max_capacity(RESOURCES_MAX);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(FIELDS_BYTES_MAX);
        // The builder's defaults already are: stdin closed, no environment, no arguments, no directories, every address denied. What
        // must never change is said again.
        let ctx = WasiCtx::builder()
            .stdout(LogStream::new(shared.clone(), LogSource::Stdout))
            .stderr(LogStream::new(shared.clone(), LogSource::Stderr))
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .socket_addr_check(|_, _| Box::pin(async { false }))
            .max_random_size(RANDOM_BYTES_MAX)
            .build();
        Wasi { ctx, table, http, hooks: DenyOutgoing }
    }
}

/// Adds that world, and nothing else.
pub fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)
}

impl Host {
    fn wasi(&mut self) -> &mut Wasi {
        self.wasi.get_or_insert_with(|| Box::new(Wasi::new(&self.shared)))
    }
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let wasi = self.wasi();
        WasiCtxView { ctx: &mut wasi.ctx, table: &mut wasi.table }
    }
}

impl WasiHttpView for Host {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        let wasi = self.wasi();
        WasiHttpCtxView { hooks: &mut wasi.hooks, table: &mut wasi.table, ctx: &mut wasi.http }
    }
}

struct DenyOutgoing;

type Io = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl WasiHttpHooks for DenyOutgoing {
    fn send_request(
        &mut self,
        _request: http::Request<WasiBody>,
        _options: Option<RequestOptions>,
        _io: Io,
    ) -> Box<dyn Future<Output = Result<(http::Response<WasiBody>, Io), Error>> + Send> {
        Box::new(async { Err(Error::HttpRequestDenied) })
    }
}
