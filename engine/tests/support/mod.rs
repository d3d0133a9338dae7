// SPDX-License-Identifier: Apache-2.0
//! The C interface in Rust clothes, so that tests go through the very functions C++ calls.
#![allow(dead_code, unused_imports)] // each test uses its part

use sandgate_engine::budget::Budget;
use sandgate_engine::c_types::{self, ActionTag, Bytes, EngineConfig, Headers, KeyValueFn, LogLevel, LogLine, LogSource, Poll};
pub use sandgate_engine::error::{Error, ErrorKind};
use sandgate_engine::ffi::*;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

pub mod services;

pub const MIB: u64 = 1 << 20;

pub fn budget() -> Budget {
    Budget { memory_bytes: 16 * MIB, wall_ns: 5_000_000_000, cpu_ns: 0, output_bytes: MIB }
}

/// Wake-ups by token.
#[derive(Default)]
pub struct Wakes(pub Mutex<Vec<u64>>);

unsafe extern "C" fn on_wake(user: *mut c_void, token: u64) {
    unsafe { (*(user as *const Wakes)).0.lock().unwrap().push(token) }
}

/// A line as the callback got it.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    pub source: LogSource,
    pub level: LogLevel,
    pub context: String,
    pub text: Vec<u8>,
}

/// What a `user` of the tests is: the lines, an instance to drop at the first line, and what else a test needs.
#[derive(Default)]
pub struct Log {
    pub lines: Mutex<Vec<Line>>,
    pub drop_at_first_line: Mutex<usize>,
    pub service: Option<Box<dyn std::any::Any>>,
}

impl Log {
    pub fn text(&self) -> Vec<String> {
        self.lines.lock().unwrap().iter().map(|line| String::from_utf8_lossy(&line.text).into_owned()).collect()
    }
}

unsafe extern "C" fn on_log(user: *mut c_void, line: *const LogLine) {
    if user.is_null() {
        return;
    }
    let log = unsafe { &*(user as *const Log) };
    let line = unsafe { &*line };
    log.lines.lock().unwrap().push(Line {
        source: line.source,
        level: line.level,
        context: String::from_utf8(unsafe { line.context.as_slice() }.to_vec()).expect("a context is UTF-8"),
        text: unsafe { line.text.as_slice() }.to_vec(),
    });
    let victim = std::mem::take(&mut *log.drop_at_first_line.lock().unwrap());
    if victim != 0 {
        unsafe { sg_instance_drop(victim as *mut InstanceHandle) };
    }
}

pub struct Engine {
    pub raw: *mut Arc<sandgate_engine::engine::Engine>,
    pub wakes: Box<Wakes>,
}

unsafe impl Send for Engine {}
unsafe impl Sync for Engine {}

#[derive(Clone, Copy)]
pub struct Options {
    pub pooling: bool,
    pub pagemap_scan: bool,
    pub instances_max: u32,
    pub memory_bytes_max: u64,
    pub key_value: Option<KeyValueFn>,
}

pub const POOLED: Options =
    Options { pooling: true, pagemap_scan: false, instances_max: 64, memory_bytes_max: 64 * MIB, key_value: None };
pub const COMPILER: Options = Options { pooling: false, ..POOLED };

impl Engine {
    pub fn new(options: Options) -> Engine {
        Engine::try_new(options).expect("engine")
    }

    pub fn try_new(options: Options) -> Result<Engine, Error> {
        let wakes = Box::<Wakes>::default();
        let config = EngineConfig {
            memory_bytes_max: options.memory_bytes_max,
            instances_max: options.instances_max,
            stack_bytes: 512 << 10,
            pooling: options.pooling,
            pagemap_scan: options.pagemap_scan,
            wake: Some(on_wake),
            wake_user: &*wakes as *const Wakes as *mut c_void,
            log: Some(on_log),
            key_value: options.key_value,
        };
        let mut raw = null_mut();
        take(unsafe { sg_engine_new(&config, &mut raw) })?;
        sg_engine_thread_init();
        Ok(Engine { raw, wakes })
    }

    pub fn fingerprint(&self) -> String {
        String::from_utf8(unsafe { sg_engine_fingerprint(self.raw).as_slice() }.to_vec()).unwrap()
    }

    pub fn compile(&self, wasm: &[u8]) -> Result<Vec<u8>, Error> {
        let mut code = null_mut();
        take(unsafe { sg_compile(self.raw, Bytes::of(wasm), &mut code) })?;
        let bytes = unsafe { sg_code_bytes(code).as_slice() }.to_vec();
        unsafe { sg_code_drop(code) };
        Ok(bytes)
    }

    pub fn load(&self, code: &[u8]) -> Result<Module<'_>, Error> {
        self.load_granted(code, None)
    }

    pub fn load_granted(&self, code: &[u8], grants: Option<&c_types::Grants>) -> Result<Module<'_>, Error> {
        let mut raw = null_mut();
        let grants = grants.map_or(std::ptr::null(), |grants| grants as *const c_types::Grants);
        take(unsafe { sg_module_load(self.raw, Bytes::of(code), grants, &mut raw) })?;
        Ok(Module { raw, engine: self })
    }

    /// Text or binary, compiled and loaded.
    pub fn module(&self, wat: &str) -> Result<Module<'_>, Error> {
        self.load(&self.compile(&wat::parse_str(wat).expect("wat"))?)
    }

    pub fn tick(&self) {
        unsafe { sg_engine_tick(self.raw) }
    }

    /// Ticks each millisecond while `act` runs.
    pub fn ticking<T>(&self, act: impl FnOnce() -> T) -> T {
        struct Stop<'a>(&'a AtomicBool);
        impl Drop for Stop<'_> {
            fn drop(&mut self) {
                self.0.store(true, SeqCst);
            }
        }
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(SeqCst) {
                    self.tick();
                    std::thread::sleep(Duration::from_millis(1));
                }
            });
            let _stop = Stop(&stop);
            act()
        })
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        unsafe { sg_engine_drop(self.raw) }
    }
}

pub struct Module<'e> {
    pub raw: *mut Arc<sandgate_engine::module::Module>,
    pub engine: &'e Engine,
}

impl std::fmt::Debug for Module<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "module with hooks {}", self.hooks())
    }
}

impl Module<'_> {
    pub fn hooks(&self) -> u32 {
        unsafe { sg_module_hooks(self.raw) }
    }

    pub fn instance(&self, budget: Budget) -> Instance<'_> {
        self.instance_with_log(budget, None)
    }

    pub fn instance_with_log(&self, budget: Budget, log: Option<&Log>) -> Instance<'_> {
        static TOKEN: AtomicU64 = AtomicU64::new(1);
        let token = TOKEN.fetch_add(1, SeqCst);
        let user = log.map_or(null_mut(), |log| log as *const Log as *mut c_void);
        let mut raw = null_mut();
        take(unsafe { sg_instance_new(self.raw, &budget, token, user, &mut raw) }).expect("instance");
        Instance { raw, request: None, response: None, token, _module: self }
    }
}

impl Drop for Module<'_> {
    fn drop(&mut self) {
        unsafe { sg_module_drop(self.raw) }
    }
}

pub struct Instance<'m> {
    pub raw: *mut InstanceHandle,
    /// The records of the running call: they must stay where they are until it ends.
    request: Option<Box<c_types::Request>>,
    response: Option<Box<c_types::Response>>,
    pub token: u64,
    _module: &'m Module<'m>,
}

/// A call's outcome, and how often the poller had control in between.
#[derive(Debug)]
pub struct Outcome {
    pub result: Result<OwnedAction, Error>,
    pub yields: u32,
    pub waits: u32,
}

impl Outcome {
    pub fn action(self) -> OwnedAction {
        self.result.expect("the call succeeds")
    }

    pub fn error(self) -> Error {
        self.result.expect_err("the call fails")
    }
}

impl Instance<'_> {
    pub fn poll(&mut self) -> (Poll, Option<Error>) {
        let mut error = null_mut();
        let code = unsafe { sg_instance_poll(self.raw, &mut error) };
        (code, take(error).err())
    }

    pub fn start_request(&mut self, request: &Request<'_>) -> Result<(), Error> {
        let request = self.request.insert(Box::new(request.raw()));
        take(unsafe { sg_instance_start_on_request(self.raw, &**request) })
    }

    pub fn start_response(&mut self, status: u16, headers: &[c_types::Header], body: &[u8]) -> Result<(), Error> {
        let response = c_types::Response { status, headers: Headers::of(headers), body: Bytes::of(body) };
        let response = self.response.insert(Box::new(response));
        take(unsafe { sg_instance_start_on_response(self.raw, &**response) })
    }

    /// Polls to the end like a loop without other work; a waiting call is polled again after its wake-up or 20 ms.
    pub fn finish(&mut self, engine: &Engine) -> Outcome {
        let (mut yields, mut waits) = (0, 0);
        loop {
            match self.poll() {
                (Poll::Done, None) => return Outcome { result: Ok(self.action()), yields, waits },
                (Poll::Failed, Some(error)) => return Outcome { result: Err(error), yields, waits },
                (Poll::Yielded, None) => yields += 1,
                (Poll::Waiting, None) => {
                    waits += 1;
                    let until = Instant::now() + Duration::from_millis(20);
                    while Instant::now() < until && !engine.wakes.0.lock().unwrap().contains(&self.token) {
                        std::thread::sleep(Duration::from_micros(100));
                    }
                    engine.wakes.0.lock().unwrap().retain(|token| *token != self.token);
                }
                other => panic!("impossible outcome {other:?}"),
            }
        }
    }

    pub fn request(&mut self, engine: &Engine, request: &Request<'_>) -> Outcome {
        self.start_request(request).expect("start");
        self.finish(engine)
    }

    pub fn has_action(&self) -> bool {
        unsafe { !sg_instance_action(self.raw).is_null() }
    }

    pub fn action(&self) -> OwnedAction {
        OwnedAction::read(unsafe { &*sg_instance_action(self.raw) })
    }

    pub fn memory_peak(&self) -> u64 {
        unsafe { sg_instance_memory_peak(self.raw) }
    }

    pub fn busy_ns(&self) -> u64 {
        unsafe { sg_instance_busy_ns(self.raw) }
    }

    /// The instance was dropped by other means.
    pub fn forget(mut self) {
        self.raw = null_mut();
    }
}

impl Drop for Instance<'_> {
    fn drop(&mut self) {
        unsafe { sg_instance_drop(self.raw) }
    }
}

pub struct Request<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub query: &'a str,
    pub headers: Vec<c_types::Header>,
    pub body: &'a [u8],
    pub request_id: &'a str,
    pub now_epoch_ms: u64,
}

impl<'a> Request<'a> {
    pub fn new() -> Request<'a> {
        Request {
            method: "GET",
            path: "/v1/models",
            query: "a=b",
            headers: vec![header("host", "example.test"), header("accept", "*/*")],
            body: b"",
            request_id: "0123456789abcdef",
            now_epoch_ms: 1_700_000_000_123,
        }
    }

    pub fn raw(&self) -> c_types::Request {
        c_types::Request {
            method: Bytes::of(self.method.as_bytes()),
            path: Bytes::of(self.path.as_bytes()),
            query: Bytes::of(self.query.as_bytes()),
            headers: Headers::of(&self.headers),
            body: Bytes::of(self.body),
            request_id: Bytes::of(self.request_id.as_bytes()),
            now_epoch_ms: self.now_epoch_ms,
        }
    }
}

pub fn header(name: &'static str, value: &'static str) -> c_types::Header {
    c_types::Header { name: Bytes::of(name.as_bytes()), value: Bytes::of(value.as_bytes()) }
}

/// An action, copied out of the C view.
#[derive(Debug, PartialEq, Eq)]
pub struct OwnedAction {
    pub tag: ActionTag,
    pub status: Option<u16>,
    /// Values that are no UTF-8 have replacement characters.
    pub set: Vec<(String, String)>,
    pub add: Vec<(String, String)>,
    pub remove: Vec<String>,
    pub body: Option<Vec<u8>>,
}

impl OwnedAction {
    pub fn new(tag: ActionTag) -> OwnedAction {
        OwnedAction { tag, status: None, set: vec![], add: vec![], remove: vec![], body: None }
    }

    fn read(action: &c_types::Action) -> OwnedAction {
        let text = |bytes: Bytes| String::from_utf8(unsafe { bytes.as_slice() }.to_vec()).unwrap();
        let lossy = |bytes: Bytes| String::from_utf8_lossy(unsafe { bytes.as_slice() }).into_owned();
        let pairs = |headers: Headers| {
            unsafe { headers.as_slice() }.iter().map(|header| (text(header.name), lossy(header.value))).collect()
        };
        let removed = if action.headers_remove_len == 0 {
            &[]
        } else {
            unsafe { std::slice::from_raw_parts(action.headers_remove, action.headers_remove_len) }
        };
        OwnedAction {
            tag: action.tag,
            status: action.has_status.then_some(action.status),
            set: pairs(action.headers_set),
            add: pairs(action.headers_add),
            remove: removed.iter().map(|name| text(*name)).collect(),
            body: action.has_body.then(|| unsafe { action.body.as_slice() }.to_vec()),
        }
    }
}

pub fn take(error: *mut Error) -> Result<(), Error> {
    if error.is_null() {
        return Ok(());
    }
    let kind = unsafe { sg_error_get_kind(error) };
    let text = |bytes: Bytes| String::from_utf8(unsafe { bytes.as_slice() }.to_vec()).unwrap();
    let copy = Error { kind, message: text(unsafe { sg_error_message(error) }), trap: text(unsafe { sg_error_trap(error) }) };
    unsafe { sg_error_drop(error) };
    Err(copy)
}

pub use sandgate_engine::abi::router_middleware::PACKAGES;

/// The parts every small guest has: a memory, a bump allocator that grows it, and the result at 1024.
pub const PRELUDE: &str = include_str!("../guests/prelude.wat");

/// A core module with the prelude and `body`; `$PKG` in it is the package.
pub fn guest(package: &str, body: &str) -> String {
    format!("(module {PRELUDE} {body})").replace("$PKG", package)
}

/// A core module whose on-request does `code` (which leaves the result's address).
pub fn on_request(code: &str) -> String {
    guest(
        "sgl:router",
        &format!(
            r#"(func (export "$PKG/middleware-on-request#on-request")
                 (param $method i32) (param $method_len i32) (param $path i32) (param $path_len i32)
                 (param $query i32) (param $query_len i32) (param $headers i32) (param $headers_len i32)
                 (param $body i32) (param $body_len i32) (param $id i32) (param $id_len i32) (param $now i64) (result i32)
                 (local $i i32)
                 {code})"#
        ),
    )
}
