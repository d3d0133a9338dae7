// SPDX-License-Identifier: Apache-2.0
#include "telemetry/route_metrics.h"

#include <algorithm>
#include <cstdint>

namespace sandgate::telemetry {
namespace {

// The sum over all loops of what `read(loop)` gives.
template <typename Read>
std::uint64_t sum(const RouteCounts& route, Read read) {
  std::uint64_t total = 0;
  for (const RouteCounts::OnLoop& loop : route.loops()) total += read(loop);
  return total;
}

std::uint64_t answered(const RouteCounts& route, std::size_t status) {
  return sum(route, [status](const RouteCounts::OnLoop& loop) { return loop.requests[status].read(); });
}

bool was_taken(const RouteCounts& route) {
  for (std::size_t status = 0; status < kStatusLabels.size(); ++status) {
    if (answered(route, status) != 0) return true;
  }
  return false;
}

void write_durations(Exposition& out, const RouteCounts& route) {
  std::uint64_t count = 0;
  for (std::size_t bucket = 0; bucket <= DurationHistogram::kBounds.size(); ++bucket) {
    count += sum(route, [bucket](const RouteCounts::OnLoop& loop) { return loop.durations.buckets[bucket].read(); });
    bool last = bucket == DurationHistogram::kBounds.size();
    std::string_view bound = last ? "+Inf" : DurationHistogram::kBounds[bucket].seconds;
    out.sample({{"route", route.name()}, {"le", bound}}, count, "_bucket");
  }
  out.sample_seconds({{"route", route.name()}},
                     sum(route, [](const RouteCounts::OnLoop& loop) { return loop.durations.sum_ns.read(); }), "_sum");
  out.sample({{"route", route.name()}}, count, "_count");
}

}  // namespace

RouteCounts& RouteMetrics::of(std::string_view name) {
  if (name == kOther) return other_;
  std::lock_guard lock(mutex_);
  auto known = std::ranges::find(routes_, name, [](const auto& route) { return std::string_view(route->name()); });
  if (known != routes_.end()) return **known;
  if (routes_.size() == kRoutesMax) return other_;
  return *routes_.emplace_back(std::make_unique<RouteCounts>(std::string(name), loops_));
}

std::vector<const RouteCounts*> RouteMetrics::taken() const {
  std::vector<const RouteCounts*> all;
  {
    std::lock_guard lock(mutex_);
    for (const auto& route : routes_) all.push_back(route.get());
  }
  all.push_back(&other_);
  std::erase_if(all, [](const RouteCounts* route) { return !was_taken(*route); });
  return all;
}

void RouteMetrics::write(Exposition& out) const {
  std::vector<const RouteCounts*> routes = taken();
  if (routes.empty()) return;
  out.family("sandgate_route_requests_total", MetricType::kCounter,
             "Requests answered, by route and class of the status.");
  for (const RouteCounts* route : routes) {
    for (std::size_t status = 0; status < kStatusLabels.size(); ++status) {
      std::uint64_t count = answered(*route, status);
      if (count != 0) out.sample({{"route", route->name()}, {"code", kStatusLabels[status]}}, count);
    }
  }
  out.family("sandgate_route_duration_seconds", MetricType::kHistogram,
             "Time from the end of a request's head to the end of its response, by route.");
  for (const RouteCounts* route : routes) write_durations(out, *route);
}

}  // namespace sandgate::telemetry
