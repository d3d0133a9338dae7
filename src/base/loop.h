// SPDX-License-Identifier: Apache-2.0
//
// What code that runs on a loop thread may ask of its loop: run something later, and timers. net/loop_thread implements
// it; tests use a fake one with a clock of their own. An exchange, its guest calls and its connections never leave
// their loop's thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace sandgate {

// Monotonic time since an arbitrary start.
using Nanoseconds = std::chrono::nanoseconds;
using Milliseconds = std::chrono::milliseconds;

class Loop;

// A deadline in a loop's timer wheel (timer_wheel.h). Intrusive: owned by what it guards, no allocation. Leaves the
// wheel when destroyed. Loop thread only. Resolution is Loop::kTimerTick; a timer never fires early. Arming again for
// later and disarming only store a word.
class Timer {
 public:
  using Callback = void (*)(void* owner);

  Timer(Loop& loop, Callback callback, void* owner) : loop_(loop), callback_(callback), owner_(owner) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer();

  // (Re)starts the timer. It is disarmed when the callback runs.
  void arm(Milliseconds delay);
  void disarm() { armed_ = false; }
  bool armed() const { return armed_; }

 private:
  friend class TimerWheel;

  Loop& loop_;
  Callback callback_;
  void* owner_;
  Timer* previous_ = nullptr;
  Timer* next_ = nullptr;
  Nanoseconds deadline_{0};
  std::uint64_t visit_tick_ = 0;  // when the wheel looks at it next
  std::size_t slot_ = 0;
  bool armed_ = false;
  bool linked_ = false;  // in a slot; may be so while disarmed
};

class Loop {
 public:
  // Timers guard I/O and guests; nothing in HTTP needs a finer one.
  static constexpr Milliseconds kTimerTick{4};

  virtual ~Loop() = default;

  // 0 for the first loop; below the number of loops.
  virtual unsigned index() const = 0;
  // From any thread: runs `job` on the loop's thread soon. Jobs of one caller keep their order. After the loop has
  // ended the job is dropped unrun.
  virtual void post(std::function<void()> job) = 0;
  // From the loop's thread: `turn(owner)` runs once after pending I/O had its turn. For run queues; no allocation.
  virtual void next_turn(void (*turn)(void* owner), void* owner) = 0;
  // Monotonic time, read at most once per turn of the loop: good for timeouts, not for measuring.
  virtual Nanoseconds now() const = 0;
  // Reads the clock.
  virtual Nanoseconds precise_now() const = 0;

  // For Timer only. Implementations hand both to a TimerWheel.
  virtual void timer_armed(Timer& timer, Nanoseconds deadline) = 0;
  virtual void timer_destroyed(Timer& timer) = 0;
};

inline Timer::~Timer() {
  if (linked_) loop_.timer_destroyed(*this);
}
inline void Timer::arm(Milliseconds delay) { loop_.timer_armed(*this, loop_.now() + delay); }

}  // namespace sandgate
