// SPDX-License-Identifier: Apache-2.0
//
// The timers of one loop: a hashed wheel of 1024 slots of 4 ms. Deadlines beyond one turn (4 s) are looked at once a
// turn. Pure: the loop says what time it is and asks when to look again. Loop thread only.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/loop.h"

namespace sandgate {

class TimerWheel {
 public:
  static constexpr std::size_t kSlots = 1024;

  // `now` is the time the wheel starts at.
  explicit TimerWheel(Nanoseconds now) : tick_(ticks(now)) {}

  void arm(Timer& timer, Nanoseconds deadline);
  void remove(Timer& timer);
  // Runs the callbacks that are due at `now`, in no particular order. They may arm and destroy timers, the running one
  // included.
  void fire_due(Nanoseconds now);
  // When to call fire_due next; nothing when the wheel is empty.
  std::optional<Nanoseconds> next_due() const;

 private:
  static std::uint64_t ticks(Nanoseconds time) {
    return static_cast<std::uint64_t>(time / std::chrono::duration_cast<Nanoseconds>(Loop::kTimerTick));
  }
  // The first tick at which `deadline` has passed.
  static std::uint64_t due_tick(Nanoseconds deadline) { return ticks(deadline) + 1; }

  void link(Timer& timer, std::uint64_t visit_tick);
  void visit(Timer& timer);
  void unlink(Timer& timer);

  // The last one takes the timers of the slot being visited, so that each is looked at once.
  static constexpr std::size_t kVisited = kSlots;

  std::array<Timer*, kSlots + 1> slots_{};
  std::bitset<kSlots + 1> occupied_;
  std::uint64_t tick_;  // every slot up to and including this tick has been visited
};

}  // namespace sandgate
