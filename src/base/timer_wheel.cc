// SPDX-License-Identifier: Apache-2.0
#include "base/timer_wheel.h"

#include <algorithm>
#include <utility>

namespace sandgate {

void TimerWheel::link(Timer& timer, std::uint64_t visit_tick) {
  std::size_t slot = visit_tick % kSlots;
  timer.visit_tick_ = visit_tick;
  timer.slot_ = slot;
  timer.previous_ = nullptr;
  timer.next_ = slots_[slot];
  if (timer.next_ != nullptr) timer.next_->previous_ = &timer;
  slots_[slot] = &timer;
  occupied_.set(slot);
  timer.linked_ = true;
}

void TimerWheel::unlink(Timer& timer) {
  std::size_t slot = timer.slot_;
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
    if (slots_[slot] == nullptr) continue;
    // A callback may arm and destroy timers: the due ones wait in a list of their own, from which they can still leave.
    slots_[kVisited] = std::exchange(slots_[slot], nullptr);
    occupied_.reset(slot);
    for (Timer* timer = slots_[kVisited]; timer != nullptr; timer = timer->next_) timer->slot_ = kVisited;
    while (slots_[kVisited] != nullptr) visit(*slots_[kVisited]);
  }
}

void TimerWheel::visit(Timer& timer) {
  unlink(timer);
  if (!timer.armed_) return;
  std::uint64_t due = due_tick(timer.deadline_);
  if (due > tick_) return link(timer, std::min(due, tick_ + kSlots));
  timer.armed_ = false;
  timer.callback_(timer.owner_);
}

std::optional<Nanoseconds> TimerWheel::next_due() const {
  for (std::uint64_t tick = tick_ + 1; tick <= tick_ + kSlots; ++tick) {
    if (occupied_.test(tick % kSlots)) return Nanoseconds(Loop::kTimerTick) * static_cast<std::int64_t>(tick);
  }
  return std::nullopt;
}

}  // namespace sandgate
