// SPDX-License-Identifier: Apache-2.0
//
// Whether one server of an upstream should get requests, over all loops: what probes say (health_check.h), how real
// requests fared, and what the operator wants. A server that is out for how requests fared is half open after a while:
// one exchange tries it. Atomic words that change rarely, so that asking costs one load of a line that nobody writes.
// Any thread; outlived by whoever uses it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/loop.h"
#include "gateway/upstream_options.h"

namespace sandgate::gateway {

// How many servers of one upstream are out for bad answers, and how many may be.
class EjectionRoom {
 public:
  EjectionRoom(std::size_t servers, unsigned percent_max) : max_(servers * percent_max / 100) {}
  bool enter() {
    if (out_.fetch_add(1, std::memory_order_relaxed) < max_) return true;
    leave();
    return false;
  }
  void leave() { out_.fetch_sub(1, std::memory_order_relaxed); }

 private:
  std::size_t max_;
  std::atomic<std::size_t> out_{0};
};

class alignas(64) ServerHealth {
 public:
  // What requests say about it. A report of a request that was sent before the last change is not heard.
  using Era = std::uint32_t;
  enum class Failure : unsigned char {
    kUnreached,  // refused, unreachable or too slow to connect
    kBadAnswer,  // none, late, broken or no HTTP
  };
  static constexpr unsigned kWholeShare = 256;

  // `options` and `room` outlive it.
  ServerHealth(const UpstreamOptions& options, EjectionRoom& room) : options_(options), room_(room) {}

  bool is_in() const { return reasons_.load(std::memory_order_relaxed) == 0; }
  bool draining() const { return (reasons_.load(std::memory_order_relaxed) & kDraining) != 0; }
  bool unhealthy() const { return (reasons_.load(std::memory_order_relaxed) & kUnhealthy) != 0; }
  bool ejected() const { return (reasons_.load(std::memory_order_relaxed) & (kUnreached | kBad)) != 0; }
  // Whether an exchange should go there. For a server that is due for its trial: true for one caller.
  bool admits(Nanoseconds now) {
    std::uint32_t reasons = reasons_.load(std::memory_order_relaxed);
    return reasons == 0 || ((reasons & (kDraining | kUnhealthy)) == 0 && is_due(now));
  }
  Era era() const { return era_.load(std::memory_order_relaxed); }
  // The head of an answer came: enough to end an ejection. That it was whole is for succeeded().
  void answered(Era era, const Loop& loop) {
    if (ejected()) note_answer(era, loop.now());
  }
  void succeeded(Era era, const Loop& loop) {
    if (is_in() && failures_.load(std::memory_order_relaxed) == 0) return;
    note_success(era, loop.now());
  }
  void failed(Era era, Failure failure, const Loop& loop);

  // One result of the health check. From one thread at a time.
  void probed(bool passed, Nanoseconds now);
  void set_draining(bool draining, Nanoseconds now);

  // The part of its weight that it should get, of kWholeShare: less during a slow start.
  unsigned share(Nanoseconds now) const;

  std::uint64_t ejections() const { return ejections_.load(std::memory_order_relaxed); }
  std::uint64_t probes_passed() const { return probes_passed_.load(std::memory_order_relaxed); }
  std::uint64_t probes_failed() const { return probes_failed_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::uint32_t kDraining = 1;
  static constexpr std::uint32_t kUnhealthy = 2;
  static constexpr std::uint32_t kUnreached = 4;
  static constexpr std::uint32_t kBad = 8;

  bool is_due(Nanoseconds now);
  void note_answer(Era era, Nanoseconds now);
  void note_success(Era era, Nanoseconds now);
  void eject(std::uint32_t reason, Nanoseconds now);
  void admit(std::uint32_t reasons, Nanoseconds now);
  Nanoseconds ejection_time() const;

  std::atomic<std::uint32_t> reasons_{0};   // why it is out
  std::atomic<std::uint32_t> failures_{0};  // in a row
  std::atomic<Era> era_{0};
  std::atomic<std::uint32_t> doublings_{0};   // of the ejection time
  std::atomic<std::int64_t> trial_at_ns_{0};  // while ejected
  std::atomic<bool> on_trial_{false};
  std::atomic<std::int64_t> came_back_at_ns_{0};  // 0: not since the start
  const UpstreamOptions& options_;
  EjectionRoom& room_;
  unsigned probe_streak_ = 0;  // results in a row that contradict kUnhealthy; the health check's thread only

  alignas(64) std::atomic<std::uint64_t> ejections_{0};
  std::atomic<std::uint64_t> probes_passed_{0};
  std::atomic<std::uint64_t> probes_failed_{0};
};

}  // namespace sandgate::gateway
