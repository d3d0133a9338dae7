// SPDX-License-Identifier: Apache-2.0
//
// What is counted for each route of the configuration: answers by class of the status, and how long they took. Counts
// belong to a name, not to a configuration: a route that keeps its name through a reload goes on counting, one that is
// gone keeps what it counted, and routes of one name count together. One per process; outlives the loops. Each loop
// writes its own counters with plain stores; names are taken and read on any thread, under a mutex.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/loop.h"
#include "exchange/exchange.h"
#include "telemetry/exposition.h"
#include "telemetry/metrics.h"

namespace sandgate::telemetry {

class RouteCounts {
 public:
  // Aligned as LoopMetrics is.
  struct alignas(128) OnLoop {
    std::array<Counter, kStatusLabels.size()> requests;
    DurationHistogram durations;
  };

  // `loops` is their number.
  RouteCounts(std::string name, unsigned loops) : name_(std::move(name)), loops_(loops) {}

  // On the loop of the exchange, after it ended.
  void request_ended(const Exchange& exchange, Nanoseconds duration) noexcept {
    OnLoop& here = loops_[exchange.loop().index()];
    here.requests[status_index(exchange.record.status)].add();
    here.durations.record(duration);
  }

  const std::string& name() const { return name_; }
  const std::vector<OnLoop>& loops() const { return loops_; }

 private:
  const std::string name_;
  std::vector<OnLoop> loops_;
};

class RouteMetrics {
 public:
  // Each is 256 bytes for every loop and up to 25 lines of the page, which Prometheus keeps as so many series; a
  // generated file may have 10,000 routes. Names beyond it count as "other".
  static constexpr std::size_t kRoutesMax = 200;
  static constexpr std::string_view kOther = "other";

  // `loops` is their number.
  explicit RouteMetrics(unsigned loops) : loops_(loops), other_(std::string(kOther), loops) {}
  RouteMetrics(const RouteMetrics&) = delete;
  RouteMetrics& operator=(const RouteMetrics&) = delete;

  // The counts of a name, new when it was not asked for before; valid as long as this. Any thread, not on the way of a
  // request.
  RouteCounts& of(std::string_view name);

  // The families sandgate_route_*, of routes that were taken. Any thread.
  void write(Exposition& out) const;

 private:
  std::vector<const RouteCounts*> taken() const;

  const unsigned loops_;
  RouteCounts other_;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<RouteCounts>> routes_;  // guarded by the mutex; only grows
};

}  // namespace sandgate::telemetry
