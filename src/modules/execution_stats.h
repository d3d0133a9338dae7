// SPDX-License-Identifier: Apache-2.0
//
// Counters of guest calls. Written by all loops (relaxed atomics), read by reports; times in nanoseconds inside, so
// that short calls count.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/loop.h"

namespace sandgate::modules {

struct ExecutionTotals {
  std::uint64_t executions = 0;
  std::uint64_t successes = 0;
  std::uint64_t failures = 0;
  std::uint64_t total_ns = 0;
  std::uint64_t max_ns = 0;
};

class ExecutionStats {
 public:
  void record(Nanoseconds duration, bool success) noexcept {
    auto ns = static_cast<std::uint64_t>(duration.count());
    (success ? successes_ : failures_).fetch_add(1, std::memory_order_relaxed);
    total_ns_.fetch_add(ns, std::memory_order_relaxed);
    std::uint64_t seen = max_ns_.load(std::memory_order_relaxed);
    while (ns > seen && !max_ns_.compare_exchange_weak(seen, ns, std::memory_order_relaxed)) {}
  }

  // executions is always successes + failures.
  ExecutionTotals read() const noexcept {
    ExecutionTotals totals;
    totals.successes = successes_.load(std::memory_order_relaxed);
    totals.failures = failures_.load(std::memory_order_relaxed);
    totals.executions = totals.successes + totals.failures;
    totals.total_ns = total_ns_.load(std::memory_order_relaxed);
    totals.max_ns = max_ns_.load(std::memory_order_relaxed);
    return totals;
  }

 private:
  std::atomic<std::uint64_t> successes_{0};
  std::atomic<std::uint64_t> failures_{0};
  std::atomic<std::uint64_t> total_ns_{0};
  std::atomic<std::uint64_t> max_ns_{0};
};

}  // namespace sandgate::modules
