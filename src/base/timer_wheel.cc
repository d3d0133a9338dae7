// SPDX-License-Identifier: Apache-2.0
#include "base/timer_wheel.h"

#include <algorithm>

namespace sandgate {

void TimerWheel::link(Timer& timer, std::uint64_t visit_tick) {
  std::size_t slot = visit_tick % kSlots;
  timer.visit_tick_ = visit_tick;
  timer.previous_ = nullptr;
  timer.next_ = slots_[slot];
  if (timer.next_ != nullptr) timer.next_->previous_ = &timer;
  slots_[slot] = &timer;
  occupied_.set(slot);
  timer.linked_ = true;
}

void TimerWheel::unlink(Timer& timer) {
  std::size_t slot = timer.visit_tick_ % kSlots;
  if (timer.previous_ != nullptr) {
    timer.previous_->next_ = timer.next_;
  } else {
    slots_[slot] = timer.next_;
    if (timer.next_ == nullptr) occupied_.reset(slot);
  }
  if (timer.next_ != nullptr) timer.next_->previous_ = timer.previous_;
  timer.linked_ = false;
}

void TimerWheel::arm(Timer& timer, Nanoseconds deadline) {
  timer.deadline_ = deadline;
  timer.armed_ = true;
  std::uint64_t due = std::max(due_tick(deadline), tick_ + 1);
  if (timer.linked_) {
    if (timer.visit_tick_ <= due) return;  // seen early enough; moved on then
    unlink(timer);
  }
  link(timer, std::min(due, tick_ + kSlots));
}

void TimerWheel::remove(Timer& timer) {
  if (timer.linked_) unlink(timer);
  timer.armed_ = false;
}

void TimerWheel::fire_due(Nanoseconds now) {
  std::uint64_t target = ticks(now);
  // Past a whole turn every slot is visited once; more would see the same timers again.
  if (target > tick_ + kSlots) tick_ = target - kSlots;
  while (tick_ < target) {
    ++tick_;
    std::size_t slot = tick_ % kSlots;
    // A callback may change the list: always take the first that is still to be visited. What is linked anew gets a later visit tick.
    for (Timer* timer = slots_[slot]; timer != nullptr;) {
      if (timer->visit_tick_ > tick_) {
        timer = timer->next_;
        continue;
      }
      unlink(*timer);
      if (timer->armed_) {
        if (due_tick(timer->deadline_) <= tick_) {
          timer->armed_ = false;
          timer->callback_(timer->owner_);
        } else {
          link(*timer, std::min(due_tick(timer->deadline_), tick_ + kSlots));
        }
      }
      timer = slots_[slot];
    }
  }
}

std::optional<Nanoseconds> TimerWheel::next_due() const {
  if (occupied_.none()) return std::nullopt;
  for (std::uint64_t tick = tick_ + 1; tick <= tick_ + kSlots; ++tick) {
    if (occupied_.test(tick % kSlots)) return Nanoseconds(Loop::kTimerTick) * static_cast<std::int64_t>(tick);
  }
  return std::nullopt;
}

}  // namespace sandgate
