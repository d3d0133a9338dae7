// SPDX-License-Identifier: Apache-2.0
//! The plain structs of `include/sandgate_engine.h`, field for field. `tests/header.rs` compares the two.

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

#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Stdout = 1,
    Stderr = 2,
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

pub type LogFn = unsafe extern "C" fn(user: *mut c_void, stream: Stream, line: Bytes);
pub type WakeFn = unsafe extern "C" fn(user: *mut c_void, token: u64);

pub const LOG_LINE_BYTES_MAX: usize = 4096;
pub const LOG_LINES_PER_CALL_MAX: u32 = 64;

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
