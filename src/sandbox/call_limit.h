// SPDX-License-Identifier: Apache-2.0
//
// How many guest calls run at one time in the process. Those beyond it wait their turn, first come first served, in a
// queue with a bound; who waits too long or finds the queue full is told so. Thread-safe; made before the loops run,
// outlives them.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <expected>
#include <memory>
#include <mutex>
#include <utility>

#include "base/cancellation.h"
#include "base/loop.h"
#include "base/task.h"
#include "sandbox/failure.h"

namespace sandgate::sandbox {

class CallLimit {
 public:
  // Calls that wait, of all loops. Each holds a request and its body; more of them would only wait longer.
  static constexpr std::size_t kWaitingMax = 1024;

  // At least one call. `wait_max`: how long one waits before it is given up.
  CallLimit(unsigned calls_max, Milliseconds wait_max) : free_(static_cast<int>(calls_max)), wait_max_(wait_max) {}
  CallLimit(const CallLimit&) = delete;
  CallLimit& operator=(const CallLimit&) = delete;

  // A place, given back when destroyed.
  class Place {
   public:
    Place() = default;
    explicit Place(CallLimit& limit) : limit_(&limit) {}
    Place(Place&& other) noexcept : limit_(std::exchange(other.limit_, nullptr)) {}
    Place& operator=(Place&& other) noexcept {
      std::swap(limit_, other.limit_);
      return *this;
    }
    ~Place() {
      if (limit_ != nullptr) limit_->give_back();
    }
    explicit operator bool() const { return limit_ != nullptr; }

   private:
    CallLimit* limit_ = nullptr;
  };

  // A place if one is free and nobody waits; else an empty one.
  Place try_enter() noexcept;
  // Waits for a place. kCapacity: the queue is full, or the wait was too long; kCancelled. Resumes on `loop`, the
  // caller's. `cancellation` outlives the Task; a suspended Task may be destroyed on the loop's thread.
  Task<std::expected<Place, GuestFailure>> enter(Loop& loop, Cancellation& cancellation);

  std::size_t waiting() const { return waiting_.load(std::memory_order_relaxed); }

 private:
  struct Waiter;
  struct Wait;

  bool take_free() noexcept;
  void give_back() noexcept;
  void hand_out();
  void leave_queue(const std::shared_ptr<Waiter>& waiter);

  std::atomic<int> free_;
  std::atomic<std::size_t> waiting_{0};
  const Milliseconds wait_max_;
  std::mutex mutex_;
  std::deque<std::shared_ptr<Waiter>> queue_;  // at most kWaitingMax
};

}  // namespace sandgate::sandbox
