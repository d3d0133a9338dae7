// SPDX-License-Identifier: Apache-2.0
#include "sandbox/call_limit.h"

#include <algorithm>
#include <utility>

namespace sandgate::sandbox {

// Who waits. Shared by the waiting coroutine and the job that brings it its place, so that either may end first.
struct CallLimit::Waiter {
  Loop* loop = nullptr;
  Wait* wait = nullptr;  // on the loop's thread; null when the coroutine is gone
};

// In the frame of enter(), on the loop's thread.
struct CallLimit::Wait {
  Wait(CallLimit& of, Loop& loop, std::shared_ptr<Waiter> who)
      : limit(of),
        waiter(std::move(who)),
        timer(loop, [](void* owner) { static_cast<Wait*>(owner)->done.set(); }, this) {
    waiter->wait = this;
  }
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;
  ~Wait() {
    waiter->wait = nullptr;
    limit.leave_queue(waiter);
  }

  CallLimit& limit;
  std::shared_ptr<Waiter> waiter;
  Timer timer;
  Event done;
  Place place;
};

bool CallLimit::take_free() noexcept {
  int free = free_.load();
  while (free > 0) {
    if (free_.compare_exchange_weak(free, free - 1)) return true;
  }
  return false;
}

CallLimit::Place CallLimit::try_enter() noexcept {
  if (waiting_.load() != 0 || !take_free()) return {};
  return Place(*this);
}

// A waiter that queued after the look at `waiting_` looks at `free_` itself: both are sequentially consistent, so one
// of the two sees the other.
void CallLimit::give_back() noexcept {
  free_.fetch_add(1);
  if (waiting_.load() != 0) hand_out();
}

// Posts outside the lock: a loop that has ended drops the job at once, and with it the place.
void CallLimit::hand_out() {
  while (true) {
    std::shared_ptr<Waiter> waiter;
    {
      std::lock_guard lock(mutex_);
      if (queue_.empty() || !take_free()) return;
      waiter = std::move(queue_.front());
      queue_.pop_front();
      waiting_.store(queue_.size());
    }
    Loop& loop = *waiter->loop;
    // The place travels with the job: when the job is dropped, or the coroutine is gone, it is given back.
    auto place = std::make_shared<Place>(*this);
    loop.post([waiter = std::move(waiter), place = std::move(place)] {
      if (waiter->wait == nullptr) return;
      waiter->wait->place = std::move(*place);
      waiter->wait->done.set();
    });
  }
}

void CallLimit::leave_queue(const std::shared_ptr<Waiter>& waiter) {
  std::lock_guard lock(mutex_);
  auto found = std::ranges::find(queue_, waiter);
  if (found == queue_.end()) return;
  queue_.erase(found);
  waiting_.store(queue_.size());
}

Task<std::expected<CallLimit::Place, GuestFailure>> CallLimit::enter(Loop& loop, Cancellation& cancellation) {
  if (cancellation.cancelled()) co_return std::unexpected(GuestFailure{FailureKind::kCancelled, "cancelled"});
  Wait wait(*this, loop, std::make_shared<Waiter>(&loop));
  {
    std::lock_guard lock(mutex_);
    if (queue_.size() >= kWaitingMax) {
      co_return std::unexpected(GuestFailure{FailureKind::kCapacity, "too many calls wait for a free place"});
    }
    queue_.push_back(wait.waiter);
    waiting_.store(queue_.size());
  }
  hand_out();
  CancelHook hook(cancellation, [](void* owner) { static_cast<Wait*>(owner)->done.set(); }, &wait);
  wait.timer.arm(wait_max_);
  co_await wait.done.wait();
  if (wait.place) co_return std::move(wait.place);
  if (cancellation.cancelled()) co_return std::unexpected(GuestFailure{FailureKind::kCancelled, "cancelled"});
  co_return std::unexpected(GuestFailure{FailureKind::kCapacity, "no place became free in time"});
}

}  // namespace sandgate::sandbox
