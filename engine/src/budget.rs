// SPDX-License-Identifier: Apache-2.0
//! What one call may use, and the meter that holds it to that.
//!
//! The meter is shared by the store (limiter, epoch callback) and the instance (polls, questions from C++) and is therefore made of
//! relaxed atomics: only one thread is inside an instance at a time, and moving it between threads synchronises.

use crate::error::ErrorKind;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// CPU time before a call's first tick is not measured (reading the thread clock costs 490 ns, most calls take 2 us). It is charged
/// as the wall time inside polls so far, but never more than this: two ticks, so that a descheduled thread is not blamed on the guest.
const FIRST_SLICE_NS_MAX: u64 = 2_000_000;

/// `sg_budget`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    pub memory_bytes: u64,
    pub wall_ns: u64,
    pub cpu_ns: u64,
    pub output_bytes: u64,
}

/// A budget that is used up, raised out of the epoch callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exhausted {
    Wall,
    Cpu,
}

impl Exhausted {
    pub fn kind(self) -> ErrorKind {
        match self {
            Exhausted::Wall => ErrorKind::Deadline,
            Exhausted::Cpu => ErrorKind::Cpu,
        }
    }
}

impl fmt::Display for Exhausted {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Exhausted::Wall => "the call used up its wall time",
            Exhausted::Cpu => "the call used up its CPU time",
        })
    }
}

impl std::error::Error for Exhausted {}

/// Time of the running call, memory of the instance.
pub struct Meter {
    budget: Budget,
    /// On the monotonic clock; 0 until the first poll of the call.
    deadline_ns: AtomicU64,
    poll_start_ns: AtomicU64,
    /// Wall time inside the polls that have ended.
    wall_used_ns: AtomicU64,
    /// Whether this call has seen a tick: from then on the thread clock is read.
    ticked: AtomicBool,
    cpu_used_ns: AtomicU64,
    /// The thread clock when `cpu_used_ns` was last brought up to date.
    cpu_mark_ns: AtomicU64,
    memory_used: AtomicU64,
    memory_peak: AtomicU64,
    memory_denied: AtomicBool,
}

impl Meter {
    pub fn new(budget: Budget) -> Meter {
        Meter {
            budget,
            deadline_ns: AtomicU64::new(0),
            poll_start_ns: AtomicU64::new(0),
            wall_used_ns: AtomicU64::new(0),
            ticked: AtomicBool::new(false),
            cpu_used_ns: AtomicU64::new(0),
            cpu_mark_ns: AtomicU64::new(0),
            memory_used: AtomicU64::new(0),
            memory_peak: AtomicU64::new(0),
            memory_denied: AtomicBool::new(false),
        }
    }

    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// A new call: clocks at zero. Memory belongs to the instance and is kept.
    pub fn begin_call(&self) {
        self.deadline_ns.store(0, Relaxed);
        self.wall_used_ns.store(0, Relaxed);
        self.ticked.store(false, Relaxed);
        self.cpu_used_ns.store(0, Relaxed);
        self.memory_denied.store(false, Relaxed);
    }

    /// A poll begins: starts the call's clock the first time, and catches what became due while the guest waited.
    pub fn enter_poll(&self) -> Result<(), Exhausted> {
        let now = monotonic_ns();
        self.poll_start_ns.store(now, Relaxed);
        if self.deadline_ns.load(Relaxed) == 0 {
            self.deadline_ns.store(now.saturating_add(self.budget.wall_ns).max(1), Relaxed);
        } else if now >= self.deadline_ns.load(Relaxed) {
            return Err(Exhausted::Wall);
        }
        if self.measures_cpu() {
            self.cpu_mark_ns.store(thread_cpu_ns(), Relaxed);
        }
        Ok(())
    }

    pub fn leave_poll(&self) {
        let polled = monotonic_ns().saturating_sub(self.poll_start_ns.load(Relaxed));
        add(&self.wall_used_ns, polled);
        if self.measures_cpu() {
            self.charge_cpu();
        }
    }

    /// An epoch tick reached the running guest.
    pub fn tick(&self) -> Result<(), Exhausted> {
        let now = monotonic_ns();
        if now >= self.deadline_ns.load(Relaxed) {
            return Err(Exhausted::Wall);
        }
        if self.budget.cpu_ns == 0 {
            return Ok(());
        }
        if self.ticked.swap(true, Relaxed) {
            self.charge_cpu();
        } else {
            let polled = now.saturating_sub(self.poll_start_ns.load(Relaxed));
            let slice = self.wall_used_ns.load(Relaxed).saturating_add(polled).min(FIRST_SLICE_NS_MAX);
            self.cpu_used_ns.store(slice, Relaxed);
            self.cpu_mark_ns.store(thread_cpu_ns(), Relaxed);
        }
        if self.cpu_used_ns.load(Relaxed) >= self.budget.cpu_ns { Err(Exhausted::Cpu) } else { Ok(()) }
    }

    /// CPU time of the call once it is measured, until then the wall time inside polls.
    pub fn busy_ns(&self) -> u64 {
        if self.measures_cpu() { self.cpu_used_ns.load(Relaxed) } else { self.wall_used_ns.load(Relaxed) }
    }

    /// Asks for `bytes` more of linear memory. A refusal is remembered: it explains the trap that usually follows.
    pub fn grow_memory(&self, bytes: u64) -> bool {
        let used = self.memory_used.load(Relaxed).saturating_add(bytes);
        if used > self.budget.memory_bytes {
            self.deny_memory();
            return false;
        }
        // What was used until now was really got; the growth asked for may still fail further down.
        self.memory_peak.fetch_max(self.memory_used.load(Relaxed), Relaxed);
        self.memory_used.store(used, Relaxed);
        true
    }

    /// Growth that was allowed here but failed further down.
    pub fn shrink_memory(&self, bytes: u64) {
        let used = self.memory_used.load(Relaxed).saturating_sub(bytes);
        self.memory_used.store(used, Relaxed);
    }

    pub fn deny_memory(&self) {
        self.memory_denied.store(true, Relaxed);
    }

    pub fn memory_was_denied(&self) -> bool {
        self.memory_denied.load(Relaxed)
    }

    pub fn memory_peak(&self) -> u64 {
        self.memory_peak.load(Relaxed).max(self.memory_used.load(Relaxed))
    }

    /// The guest's memory is what it was in the beginning.
    pub fn forget_peak(&self) {
        self.memory_peak.store(0, Relaxed);
    }

    fn measures_cpu(&self) -> bool {
        self.budget.cpu_ns != 0 && self.ticked.load(Relaxed)
    }

    fn charge_cpu(&self) {
        let now = thread_cpu_ns();
        add(&self.cpu_used_ns, now.saturating_sub(self.cpu_mark_ns.load(Relaxed)));
        self.cpu_mark_ns.store(now, Relaxed);
    }
}

fn add(counter: &AtomicU64, amount: u64) {
    counter.store(counter.load(Relaxed).saturating_add(amount), Relaxed);
}

fn monotonic_ns() -> u64 {
    clock_ns(libc::CLOCK_MONOTONIC)
}

fn thread_cpu_ns() -> u64 {
    clock_ns(libc::CLOCK_THREAD_CPUTIME_ID)
}

fn clock_ns(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid timespec; both clocks exist on every Linux, so the call cannot fail.
    unsafe { libc::clock_gettime(clock, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
