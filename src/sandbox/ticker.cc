// SPDX-License-Identifier: Apache-2.0
#include "sandbox/ticker.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "sandbox/thread.h"

namespace sandgate::sandbox {

Ticker::Runner::Runner(Ticker& ticker) : ticker_(ticker) {
  std::lock_guard lock(ticker_.mutex_);
  ticker_.runners_.push_back(this);
}

Ticker::Runner::~Runner() {
  std::lock_guard lock(ticker_.mutex_);
  std::erase(ticker_.runners_, this);
}

Ticker::Ticker(std::function<void()> tick) : tick_(std::move(tick)) {
  thread_ = start_thread("epoch-ticker", [this] { run(); });
}

Ticker::~Ticker() {
  {
    std::lock_guard lock(mutex_);
    SANDGATE_CHECK(runners_.empty());
    stopping_ = true;
    asleep_ = false;
  }
  woken_.notify_one();
  thread_.join();
}

void Ticker::wake() {
  {
    std::lock_guard lock(mutex_);
    asleep_ = false;
  }
  woken_.notify_one();
}

// Whether a guest has entered since the last call, or is inside now: one that is in a long host call or bulk
// instruction enters nothing new and still needs its next tick.
bool Ticker::anyone_ran() {
  bool ran = false;
  for (Runner* runner : runners_) {
    std::uint64_t entries = runner->entries_.load(std::memory_order_seq_cst);
    ran = ran || entries != runner->seen_ || entries % 2 == 1;
    runner->seen_ = entries;
  }
  return ran;
}

void Ticker::run() {
  unsigned quiet_ticks = 0;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      if (stopping_) return;
      quiet_ticks = anyone_ran() ? 0 : quiet_ticks + 1;
      if (quiet_ticks >= kQuietTicks) {
        quiet_ticks = 0;
        asleep_.store(true, std::memory_order_seq_cst);
        // Looked at once more after asleep_ is visible: a guest that entered before has not seen it.
        if (anyone_ran()) asleep_ = false;
        woken_.wait(lock, [this] { return !asleep_.load(); });
        if (stopping_) return;
      }
    }
    std::this_thread::sleep_for(kPeriod);
    tick_();
  }
}

}  // namespace sandgate::sandbox
