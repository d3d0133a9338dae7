// SPDX-License-Identifier: Apache-2.0
//
// The guests of one loop. A call runs on the loop's thread until it ends, waits in a host call, or has used a slice (an
// epoch tick, about 1 ms); then it goes to the back and I/O is served. A turn of the loop resumes at most one yielded
// guest; fresh calls run first, the longest-running last. Loop thread only, but wake().
#pragma once

#include <cstdint>
#include <expected>
#include <memory>

#include "base/cancellation.h"
#include "base/task.h"
#include "sandbox/engine.h"
#include "sandbox/failure.h"
#include "sandbox/instance.h"

namespace sandgate::sandbox {

class RunQueue {
 public:
  // Guests woken from a wait that run in one turn before I/O is served again: they run for microseconds, so a turn each
  // would cost more than they do.
  static constexpr unsigned kWokenPerTurnMax = 16;

  // On the loop's thread, or before it runs. One queue per loop. Engine and loop outlive it; it is destroyed after its
  // calls ended and when the loop owes it no turn: after the loop has ended.
  static std::unique_ptr<RunQueue> create(Engine& engine, Loop& loop);
  virtual ~RunQueue() = default;

  // Runs the call that was started in `instance` (see the abi folders) to its end. Most calls end at the first poll,
  // without suspending the caller. Ends early with kCancelled when `cancellation` is; the instance is spent then. The
  // deadline of the budget holds for guests that wait, too (kDeadline). `instance` and `cancellation` must live until
  // the Task has ended; destroying the suspended Task takes the call off the queue.
  virtual Task<std::expected<void, GuestFailure>> run(Instance& instance, Cancellation& cancellation) = 0;

  // Calls that have yielded or wait now.
  virtual std::size_t suspended() const = 0;
  virtual std::uint64_t new_token() = 0;
  virtual Engine& engine() const = 0;
};

}  // namespace sandgate::sandbox
