// SPDX-License-Identifier: Apache-2.0
//
// Where requests wait while every server of an upstream has all the connections it may have: bounded over all loops,
// first come first served on each loop. A connection that is free wakes one of its own loop, unless somebody on another
// loop has waited clearly longer. Until that one looks, the place counts as promised, so that no newcomer takes it.
// Shared by all loops; a queue is touched on its loop only.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/cancellation.h"
#include "base/loop.h"
#include "base/task.h"
#include "gateway/upstream_options.h"

namespace sandgate::gateway {

class WaitingRoom final : public std::enable_shared_from_this<WaitingRoom> {
 public:
  enum class Outcome : unsigned char { kRoom, kFull, kTimedOut, kCancelled };
  enum class Place : bool { kBack, kFront };

  // Whose connections are waited for.
  class Host {
   public:
    virtual bool has_room(const Loop& loop) const = 0;
    // Somebody on another loop waits: one connection that this loop keeps without using it should go.
    virtual void give_up_idle(const Loop& loop) = 0;

   protected:
    ~Host() = default;
  };

  // The loops outlive the room; `host` outlives whoever waits.
  WaitingRoom(std::span<Loop* const> loops, Host& host, std::size_t servers, std::size_t waiting_max);

  // Waits until there may be room, at most until `deadline`. kFront: for one who was woken and found nothing.
  // `exchange_over` is the exchange's.
  Task<Outcome> wait(Loop& loop, Cancellation& exchange_over, Nanoseconds deadline, Place place);
  // A connection of this server, on this loop, is free or gone.
  void wake(Loop& loop, std::size_t server);
  // A server takes requests again, and has room for this many: so many of those who wait may look, on whatever loop.
  // Any thread.
  void wake_many(std::size_t server, std::size_t room);
  // Whether what is free on this loop should rather go to another one.
  bool wanted_elsewhere(const Loop& loop) const;

  bool empty() const { return waiting_.load(std::memory_order_seq_cst) == 0; }
  std::size_t waiting() const { return waiting_.load(std::memory_order_relaxed); }
  // Places at this server that somebody was woken for.
  unsigned promised(std::size_t server) const { return promised_[server].load(std::memory_order_relaxed); }

 private:
  // Below it a connection is not worth moving to another loop, which means making a new one.
  static constexpr Nanoseconds kUnfair = std::chrono::milliseconds(100);

  struct Waiter;
  struct alignas(64) Queue {
    Waiter* first = nullptr;
    Waiter* last = nullptr;
    std::atomic<std::int64_t> oldest_ns{0};  // since when the first one waits; 0: nobody
  };

  void link(Queue& queue, Waiter& waiter, Place place);
  void unlink(Queue& queue, Waiter& waiter);
  static void told(Queue& queue);
  void wake_first(std::size_t loop, std::size_t server);
  std::size_t longest_waiting() const;
  void ask_others(const Loop& loop);

  std::vector<Loop*> loops_;
  Host& host_;
  std::vector<Queue> queues_;
  std::vector<std::atomic<unsigned>> promised_;
  std::size_t max_;
  alignas(64) std::atomic<std::size_t> waiting_{0};
};

}  // namespace sandgate::gateway
