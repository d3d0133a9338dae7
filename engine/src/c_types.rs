// SPDX-License-Identifier: Apache-2.0
//! The plain structs of `include/sandgate_engine.h`, field for field. `tests/header.rs` compares the two.

use crate::host::key_value::Completion;
use std::ffi::c_void;

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Bytes {
    pub data: *const u8,
    pub len: usize,
}

impl Bytes {
    pub const EMPTY: Bytes = Bytes { data: std::ptr::null(), len: 0 };

    pub fn of(bytes: &[u8]) -> Bytes {
        Bytes { data: bytes.as_ptr(), len: bytes.len() }
    }

    /// # Safety
    /// What it points to must be readable and unchanged for `'a`.
    pub unsafe fn as_slice<'a>(self) -> &'a [u8] {
        // SAFETY: promised by the caller; a null pointer is only allowed with length 0.
        if self.len == 0 { &[] } else { unsafe { std::slice::from_raw_parts(self.data, self.len) } }
    }
}

/// Reads a C array whose pointer may be null when it is empty.
///
/// # Safety
/// As for [`Bytes::as_slice`].
pub unsafe fn slice<'a, T>(data: *const T, len: usize) -> &'a [T] {
    // SAFETY: promised by the caller.
    if len == 0 { &[] } else { unsafe { std::slice::from_raw_parts(data, len) } }
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct BytesList {
    pub data: *const Bytes,
    pub len: usize,
}

impl BytesList {
    pub fn of(list: &[Bytes]) -> BytesList {
        BytesList { data: list.as_ptr(), len: list.len() }
    }
}

#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogSource {
    Stdout = 1,
    Stderr = 2,
    Logging = 3,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    Trace = 0,
    Debug = 1,
    Info = 2,
    Warn = 3,
    Error = 4,
    Critical = 5,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct LogLine {
    pub source: LogSource,
    pub level: LogLevel,
    pub context: Bytes,
    pub text: Bytes,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    OnRequest = 1,
    OnResponse = 2,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poll {
    Done = 1,
    Yielded = 2,
    Waiting = 3,
    Failed = 4,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionTag {
    Continue = 0,
    Reject = 1,
    Modify = 2,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyValueOp {
    Open = 1,
    Get = 2,
    Set = 3,
    Delete = 4,
    Exists = 5,
    ListKeys = 6,
    Increment = 7,
    CompareAndSwap = 8,
    GetMany = 9,
    SetMany = 10,
    DeleteMany = 11,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct KeyValueRequest {
    pub op: KeyValueOp,
    pub bucket: u64,
    pub identifier: Bytes,
    pub keys: *const Bytes,
    pub keys_len: usize,
    pub values: *const Bytes,
    pub values_len: usize,
    pub has_expected: bool,
    pub expected: Bytes,
    pub delta: i64,
    pub has_cursor: bool,
    pub cursor: Bytes,
}

/// What C++ answered. An integer and not an enum: C may put any number there.
pub type KeyValueStatus = u32;
pub const KEY_VALUE_OK: KeyValueStatus = 0;
pub const KEY_VALUE_NO_SUCH_STORE: KeyValueStatus = 1;
pub const KEY_VALUE_ACCESS_DENIED: KeyValueStatus = 2;
pub const KEY_VALUE_OTHER: KeyValueStatus = 3;

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct KeyValueEntry {
    pub found: bool,
    pub value: Bytes,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct KeyValueReply {
    pub status: KeyValueStatus,
    pub message: Bytes,
    pub entries: *const KeyValueEntry,
    pub entries_len: usize,
    pub keys: *const Bytes,
    pub keys_len: usize,
    pub has_cursor: bool,
    pub cursor: Bytes,
    pub number: i64,
    pub yes: bool,
}

impl KeyValueReply {
    pub const EMPTY: KeyValueReply = KeyValueReply {
        status: KEY_VALUE_OK,
        message: Bytes::EMPTY,
        entries: std::ptr::null(),
        entries_len: 0,
        keys: std::ptr::null(),
        keys_len: 0,
        has_cursor: false,
        cursor: Bytes::EMPTY,
        number: 0,
        yes: false,
    };
}

pub type LogFn = unsafe extern "C" fn(user: *mut c_void, line: *const LogLine);
pub type KeyValueFn = unsafe extern "C" fn(user: *mut c_void, request: *const KeyValueRequest, completion: *mut Completion);
pub type WakeFn = unsafe extern "C" fn(user: *mut c_void, token: u64);

pub const LOG_LINE_BYTES_MAX: usize = 4096;
pub const LOG_LINES_PER_CALL_MAX: u32 = 64;
/// A component's or logger's name; it is repeated in each line.
pub const LOG_CONTEXT_BYTES_MAX: usize = 64;

/// Keys are names, not content: Redis and DynamoDB users stay far below, and stores keep keys in memory.
pub const KEY_VALUE_KEY_BYTES_MAX: usize = 1 << 10;
/// As in most hosted key-value stores; larger things belong into files or objects.
pub const KEY_VALUE_VALUE_BYTES_MAX: usize = 1 << 20;
/// A batch is one callback on the loop's thread, which must stay short.
pub const KEY_VALUE_BATCH_MAX: usize = 128;
/// What the host holds of one reply while it is copied into the guest.
pub const KEY_VALUE_REPLY_BYTES_MAX: usize = 8 << 20;
/// A page of keys: 1 MiB at the most.
pub const KEY_VALUE_REPLY_KEYS_MAX: usize = 1000;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct EngineConfig {
    pub memory_bytes_max: u64,
    pub instances_max: u32,
    pub stack_bytes: u64,
    pub pooling: bool,
    pub pagemap_scan: bool,
    pub wake: Option<WakeFn>,
    pub wake_user: *mut c_void,
    pub log: Option<LogFn>,
    pub key_value: Option<KeyValueFn>,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Header {
    pub name: Bytes,
    pub value: Bytes,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Headers {
    pub data: *const Header,
    pub len: usize,
}

impl Headers {
    pub const EMPTY: Headers = Headers { data: std::ptr::null(), len: 0 };

    pub fn of(headers: &[Header]) -> Headers {
        Headers { data: headers.as_ptr(), len: headers.len() }
    }

    /// # Safety
    /// As for [`Bytes::as_slice`].
    pub unsafe fn as_slice<'a>(self) -> &'a [Header] {
        // SAFETY: promised by the caller.
        if self.len == 0 { &[] } else { unsafe { std::slice::from_raw_parts(self.data, self.len) } }
    }
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Grants {
    pub key_value: bool,
    pub config: bool,
    pub config_entries: *const Header,
    pub config_len: usize,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Request {
    pub method: Bytes,
    pub path: Bytes,
    pub query: Bytes,
    pub headers: Headers,
    pub body: Bytes,
    pub request_id: Bytes,
    pub now_epoch_ms: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Headers,
    pub body: Bytes,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Action {
    pub tag: ActionTag,
    pub has_status: bool,
    pub status: u16,
    pub headers_set: Headers,
    pub headers_add: Headers,
    pub headers_remove: *const Bytes,
    pub headers_remove_len: usize,
    pub has_body: bool,
    pub body: Bytes,
}
