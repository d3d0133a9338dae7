// SPDX-License-Identifier: Apache-2.0
//
// Counters of the server, one set per loop: written by that loop's thread alone with plain stores, read by whoever
// reports. Counting takes no lock, waits for nothing and allocates nothing. One per process; outlives the loops.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/loop.h"
#include "exchange/exchange.h"

namespace sandgate::telemetry {

// Many may read, one thread writes: no locked instruction.
class Counter {
 public:
  void add(std::uint64_t amount = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  std::uint64_t read() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// Durations of requests. A bucket counts what is at most its bound and above the one before; the last has no bound.
class DurationHistogram {
 public:
  struct Bound {
    std::int64_t ns;
    std::string_view seconds;  // as the label is written
  };
  static constexpr std::array<Bound, 16> kBounds = {{{100'000, "0.0001"},
                                                     {250'000, "0.00025"},
                                                     {500'000, "0.0005"},
                                                     {1'000'000, "0.001"},
                                                     {2'500'000, "0.0025"},
                                                     {5'000'000, "0.005"},
                                                     {10'000'000, "0.01"},
                                                     {25'000'000, "0.025"},
                                                     {50'000'000, "0.05"},
                                                     {100'000'000, "0.1"},
                                                     {250'000'000, "0.25"},
                                                     {500'000'000, "0.5"},
                                                     {1'000'000'000, "1"},
                                                     {2'500'000'000, "2.5"},
                                                     {10'000'000'000, "10"},
                                                     {60'000'000'000, "60"}}};

  void record(Nanoseconds duration) noexcept {
    std::size_t bucket = 0;
    while (bucket < kBounds.size() && duration.count() > kBounds[bucket].ns) ++bucket;
    buckets[bucket].add();
    sum_ns.add(static_cast<std::uint64_t>(duration.count()));
  }

  std::array<Counter, kBounds.size() + 1> buckets;
  Counter sum_ns;
};

// A fixed set of method labels; clients may invent methods, not labels.
inline constexpr std::array<std::string_view, 10> kMethodLabels = {"GET",     "HEAD",    "POST",  "PUT",   "DELETE",
                                                                   "CONNECT", "OPTIONS", "PATCH", "TRACE", "other"};
std::size_t method_index(std::string_view method);

// "none": nothing was sent, the client left first.
inline constexpr std::array<std::string_view, 6> kStatusLabels = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
std::size_t status_index(int status);

// What one loop counts. Aligned so that two loops never write one cache line (pairs of lines are fetched together).
struct alignas(128) LoopMetrics {
  void request_started() noexcept { requests_started.add(); }
  // After the exchange ended; its record says how. `duration` is since Exchange::started.
  void request_ended(const Exchange& exchange, Nanoseconds duration) noexcept;

  Counter requests_started;
  Counter requests_ended;
  Counter request_bytes;
  Counter response_bytes;
  std::array<std::array<Counter, kStatusLabels.size()>, kMethodLabels.size()> requests;
  DurationHistogram durations;
};

// What the servers count about their connections, summed over all listeners.
struct ConnectionCounts {
  std::uint64_t accepted = 0;
  std::uint64_t open = 0;
  std::uint64_t refused_heads = 0;    // answered by the codec before there was an exchange
  std::uint64_t timed_out_heads = 0;  // never became a whole head
  std::uint64_t refused_proxy_headers = 0;
  std::uint64_t refused_clients = 0;   // closed at once: the client had as many as it may
  std::uint64_t refused_requests = 0;  // answered 503: as many were being served as may be
  std::uint64_t accept_pauses = 0;     // at the limit of connections, or out of descriptors
};

class Metrics {
 public:
  // `loops` is their number.
  explicit Metrics(unsigned loops);
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // `index` is Loop::index().
  LoopMetrics& loop(unsigned index) { return loops_[index]; }
  const std::vector<LoopMetrics>& loops() const { return loops_; }
  std::int64_t started_unix_ns() const { return started_unix_ns_; }

 private:
  std::vector<LoopMetrics> loops_;
  std::int64_t started_unix_ns_;
};

}  // namespace sandgate::telemetry
