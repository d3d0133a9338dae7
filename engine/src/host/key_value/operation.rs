// SPDX-License-Identifier: Apache-2.0
//! One operation on its way to C++ and back: bounded, handed to the callback, awaited without a runtime.
//!
//! Future and completion share a slot. Whichever goes first leaves word for the other: C++ may answer inside the callback, later from
//! any thread, or after the call is long gone.

use crate::c_types;
use crate::c_types::{
    Bytes, KEY_VALUE_ACCESS_DENIED, KEY_VALUE_BATCH_MAX, KEY_VALUE_KEY_BYTES_MAX, KEY_VALUE_NO_SUCH_STORE, KEY_VALUE_OK,
    KEY_VALUE_OTHER, KEY_VALUE_REPLY_BYTES_MAX, KEY_VALUE_REPLY_KEYS_MAX, KEY_VALUE_VALUE_BYTES_MAX, KeyValueFn, KeyValueOp,
    KeyValueReply, KeyValueRequest,
};
use std::ffi::c_void;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use wasmtime::component::{ComponentType, Lower};

/// Of a store's own error text.
const MESSAGE_BYTES_MAX: usize = 1 << 10;

/// `error` of wasi:keyvalue/store, in all drafts.
#[derive(ComponentType, Lower, Clone, Debug)]
#[component(variant)]
pub enum StoreError {
    #[component(name = "no-such-store")]
    NoSuchStore,
    #[component(name = "access-denied")]
    AccessDenied,
    #[component(name = "other")]
    Other(String),
}

impl StoreError {
    pub fn other(text: impl Into<String>) -> StoreError {
        StoreError::Other(text.into())
    }
}

/// What the guest wants. Fields that the operation does not use stay empty.
pub struct Operation<'a> {
    pub op: KeyValueOp,
    pub bucket: u64,
    pub identifier: &'a str,
    pub keys: &'a [&'a str],
    pub values: &'a [&'a [u8]],
    pub expected: Option<&'a [u8]>,
    pub delta: i64,
    pub cursor: Option<&'a str>,
}

impl Operation<'_> {
    pub fn new(op: KeyValueOp, bucket: u64) -> Self {
        Operation { op, bucket, identifier: "", keys: &[], values: &[], expected: None, delta: 0, cursor: None }
    }

    fn check(&self) -> Result<(), StoreError> {
        let names = self.keys.iter().chain([&self.identifier]).chain(self.cursor.iter());
        if let Some(longest) = names.map(|name| name.len()).max().filter(|len| *len > KEY_VALUE_KEY_BYTES_MAX) {
            return Err(StoreError::Other(format!("a key has {longest} bytes, the limit is {KEY_VALUE_KEY_BYTES_MAX}")));
        }
        if let Some(longest) = self.values.iter().map(|value| value.len()).max().filter(|len| *len > KEY_VALUE_VALUE_BYTES_MAX) {
            return Err(StoreError::Other(format!("a value has {longest} bytes, the limit is {KEY_VALUE_VALUE_BYTES_MAX}")));
        }
        if self.keys.len() > KEY_VALUE_BATCH_MAX {
            let text = format!("the batch has {} keys, the limit is {KEY_VALUE_BATCH_MAX}", self.keys.len());
            return Err(StoreError::Other(text));
        }
        Ok(())
    }
}

/// What C++ answered, owned, in the form that the operation has.
#[derive(Debug, PartialEq, Eq)]
pub enum Reply {
    Done,
    /// OPEN, INCREMENT.
    Number(i64),
    /// EXISTS, COMPARE_AND_SWAP.
    Yes(bool),
    /// GET, GET_MANY: one for each key.
    Values(Vec<Option<Vec<u8>>>),
    /// LIST_KEYS: a page and where the next begins.
    Keys(Vec<String>, Option<String>),
}

/// The callback of an instance.
pub struct StoreSink {
    callback: Option<KeyValueFn>,
    user: *mut c_void,
}

// SAFETY: `user` is only handed back to `callback`, on the thread that polls.
unsafe impl Send for StoreSink {}
unsafe impl Sync for StoreSink {}

impl StoreSink {
    pub fn new(callback: Option<KeyValueFn>, user: *mut c_void) -> StoreSink {
        StoreSink { callback, user }
    }

    /// Calls C++. What `operation` borrows is not needed any more when this returns.
    pub fn begin(&self, operation: &Operation<'_>) -> Result<Pending, StoreError> {
        operation.check()?;
        let callback = self.callback.ok_or_else(|| StoreError::other("there is no key-value store here"))?;
        let keys: Vec<Bytes> = operation.keys.iter().map(|key| Bytes::of(key.as_bytes())).collect();
        let values: Vec<Bytes> = operation.values.iter().map(|value| Bytes::of(value)).collect();
        let request = KeyValueRequest {
            op: operation.op,
            bucket: operation.bucket,
            identifier: Bytes::of(operation.identifier.as_bytes()),
            keys: keys.as_ptr(),
            keys_len: keys.len(),
            values: values.as_ptr(),
            values_len: values.len(),
            has_expected: operation.expected.is_some(),
            expected: operation.expected.map_or(Bytes::EMPTY, Bytes::of),
            delta: operation.delta,
            has_cursor: operation.cursor.is_some(),
            cursor: operation.cursor.map_or(Bytes::EMPTY, |cursor| Bytes::of(cursor.as_bytes())),
        };
        let slot = Arc::new(Slot { op: operation.op, keys_len: keys.len(), state: Mutex::new(State::Waiting(None)) });
        let pending = Pending { slot: slot.clone() };
        let completion = Box::into_raw(Box::new(Completion { slot }));
        // SAFETY: function and argument come from C++, which keeps them valid while the instance lives; it takes the completion.
        unsafe { callback(self.user, &request, completion) };
        Ok(pending)
    }
}

struct Slot {
    op: KeyValueOp,
    keys_len: usize,
    state: Mutex<State>,
}

enum State {
    Waiting(Option<Waker>),
    Finished(Result<Reply, StoreError>),
    /// The call is gone, or has its answer.
    Over,
}

impl Slot {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The guest's side: waits for the answer.
pub struct Pending {
    slot: Arc<Slot>,
}

impl Future for Pending {
    type Output = Result<Reply, StoreError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.slot.state();
        if let State::Waiting(waker) = &mut *state {
            match waker {
                Some(waker) => waker.clone_from(context.waker()),
                None => *waker = Some(context.waker().clone()),
            }
            return Poll::Pending;
        }
        match std::mem::replace(&mut *state, State::Over) {
            State::Finished(reply) => Poll::Ready(reply),
            _ => Poll::Ready(Err(StoreError::other("the operation is over"))),
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let state = std::mem::replace(&mut *self.slot.state(), State::Over);
        drop(state);
    }
}

/// `sg_key_value_completion`: C++'s side.
pub struct Completion {
    slot: Arc<Slot>,
}

impl Completion {
    /// # Safety
    /// The reply and what it points to must be readable during the call.
    pub unsafe fn finish(self, reply: &KeyValueReply) {
        if matches!(*self.slot.state(), State::Over) {
            return;
        }
        // SAFETY: promised by the caller.
        let reply = unsafe { read(reply, self.slot.op, self.slot.keys_len) };
        let mut state = self.slot.state();
        let State::Waiting(waker) = &mut *state else { return };
        let waker = waker.take();
        *state = State::Finished(reply);
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Copies what the operation answers. What lacks or breaks a bound is the store's mistake, which the guest sees as `other`.
unsafe fn read(reply: &KeyValueReply, op: KeyValueOp, keys_len: usize) -> Result<Reply, StoreError> {
    match reply.status {
        KEY_VALUE_OK => {}
        KEY_VALUE_NO_SUCH_STORE => return Err(StoreError::NoSuchStore),
        KEY_VALUE_ACCESS_DENIED => return Err(StoreError::AccessDenied),
        KEY_VALUE_OTHER => {
            // SAFETY: promised by the caller.
            let message = unsafe { reply.message.as_slice() };
            let message = &message[..message.len().min(MESSAGE_BYTES_MAX)];
            return Err(StoreError::Other(String::from_utf8_lossy(message).into_owned()));
        }
        _ => return Err(broken("an unknown status")),
    }
    // SAFETY: promised by the caller.
    unsafe {
        Ok(match op {
            KeyValueOp::Set | KeyValueOp::Delete | KeyValueOp::SetMany | KeyValueOp::DeleteMany => Reply::Done,
            KeyValueOp::Open | KeyValueOp::Increment => Reply::Number(reply.number),
            KeyValueOp::Exists | KeyValueOp::CompareAndSwap => Reply::Yes(reply.yes),
            KeyValueOp::Get | KeyValueOp::GetMany => {
                let entries = c_types::slice(reply.entries, reply.entries_len);
                if entries.len() != keys_len {
                    return Err(broken("not one entry for each key"));
                }
                check_size(entries.iter().filter(|entry| entry.found).map(|entry| entry.value.len))?;
                Reply::Values(entries.iter().map(|entry| entry.found.then(|| entry.value.as_slice().to_vec())).collect())
            }
            KeyValueOp::ListKeys => {
                let keys = c_types::slice(reply.keys, reply.keys_len);
                if keys.len() > KEY_VALUE_REPLY_KEYS_MAX {
                    return Err(broken("too many keys"));
                }
                check_size(keys.iter().chain([&reply.cursor]).map(|key| key.len))?;
                let keys: Result<Vec<String>, StoreError> = keys.iter().map(|key| text(*key)).collect();
                Reply::Keys(keys?, if reply.has_cursor { Some(text(reply.cursor)?) } else { None })
            }
        })
    }
}

fn check_size(lengths: impl Iterator<Item = usize>) -> Result<(), StoreError> {
    let bytes = lengths.fold(0usize, usize::saturating_add);
    if bytes > KEY_VALUE_REPLY_BYTES_MAX {
        let text = format!("the store answered with {bytes} bytes, the limit is {KEY_VALUE_REPLY_BYTES_MAX}");
        return Err(StoreError::Other(text));
    }
    Ok(())
}

unsafe fn text(bytes: Bytes) -> Result<String, StoreError> {
    // SAFETY: promised by the caller.
    let bytes = unsafe { bytes.as_slice() };
    String::from_utf8(bytes.to_vec()).map_err(|_| broken("a key that is not UTF-8"))
}

pub fn broken(what: &str) -> StoreError {
    StoreError::Other(format!("the store answered with {what}"))
}
