// SPDX-License-Identifier: Apache-2.0
//
// Waiting for a while in a coroutine, on its loop.
#pragma once

#include "base/cancellation.h"
#include "base/loop.h"
#include "base/task.h"

namespace sandgate::gateway {

// Lives in the frame that waits.
struct Pause {
  explicit Pause(Loop& loop) : timer(loop, &Pause::end, this) {}
  static void end(void* owner) { static_cast<Pause*>(owner)->over.set(); }
  Event over;
  Timer timer;
};

// Returns after `time`, or at once when cancelled. Loop and cancellation outlive it.
inline Task<void> pause_for(Loop& loop, Cancellation& cancellation, Milliseconds time) {
  if (cancellation.cancelled()) co_return;
  Pause pause(loop);
  CancelHook hook(cancellation, &Pause::end, &pause);
  pause.timer.arm(time);
  co_await pause.over.wait();
}

}  // namespace sandgate::gateway
