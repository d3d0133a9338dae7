// SPDX-License-Identifier: Apache-2.0
//! Tells a wake-up during a poll (the guest yielded: poll again) from one while the instance waits (call C++ back).

use crate::c_types::WakeFn;
use std::ffi::c_void;
use std::sync::atomic::{AtomicU8, Ordering::AcqRel};

/// No call, or woken already: nothing to tell.
const QUIET: u8 = 0;
/// Inside a poll.
const POLLING: u8 = 1;
/// Woken inside a poll.
const WOKEN: u8 = 2;
/// Between polls, and the next wake-up must be reported.
const WAITING: u8 = 3;

pub struct WakeState {
    state: AtomicU8,
    wake: Option<WakeFn>,
    user: *mut c_void,
    token: u64,
}

// SAFETY: `user` is only handed back to `wake`, which the header says is called from any thread.
unsafe impl Send for WakeState {}
unsafe impl Sync for WakeState {}

impl WakeState {
    pub fn new(wake: Option<WakeFn>, user: *mut c_void, token: u64) -> WakeState {
        WakeState { state: AtomicU8::new(QUIET), wake, user, token }
    }

    pub fn begin_poll(&self) {
        self.state.store(POLLING, std::sync::atomic::Ordering::Release);
    }

    /// The poll ended without a result. True: it really waits, and a wake-up will be reported. False: it was woken meanwhile.
    pub fn end_poll_pending(&self) -> bool {
        self.state.compare_exchange(POLLING, WAITING, AcqRel, std::sync::atomic::Ordering::Acquire).is_ok()
    }

    /// The call is over: later wake-ups concern nobody.
    pub fn end_call(&self) {
        self.state.store(QUIET, std::sync::atomic::Ordering::Release);
    }

    /// At most one callback per wait.
    pub fn wake(&self) {
        let report = self.state.fetch_update(AcqRel, std::sync::atomic::Ordering::Acquire, |state| match state {
            POLLING => Some(WOKEN),
            WAITING => Some(QUIET),
            _ => None,
        });
        if report == Ok(WAITING)
            && let Some(wake) = self.wake
        {
            // SAFETY: the function and its argument come from sg_engine_config, valid as long as the engine.
            unsafe { wake(self.user, self.token) }
        }
    }
}
