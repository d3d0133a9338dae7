// SPDX-License-Identifier: Apache-2.0
#include "telemetry/state_text.h"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace sandgate::telemetry {
namespace {

using capability::StateMetrics;

std::uint64_t read(const StateMetrics::Number& number) { return number.load(std::memory_order_relaxed); }

void write_operations(Exposition& out, const StateMetrics& metrics) {
  out.family("sandgate_state_operations_total", MetricType::kCounter,
             "Operations on key-value stores by what came of them; open and local: another store stood in.");
  for (std::size_t row = 0; row < metrics.operations.size(); ++row) {
    for (std::size_t column = 0; column < StateMetrics::kOutcomes.size(); ++column) {
      std::uint64_t count = read(metrics.operations[row][column]);
      if (count == 0) continue;
      out.sample({{"operation", StateMetrics::kOperations[row]}, {"outcome", StateMetrics::kOutcomes[column]}}, count);
    }
  }
}

void write_durations(Exposition& out, const StateMetrics& metrics) {
  out.family("sandgate_state_operation_duration_seconds", MetricType::kHistogram,
             "Time from a guest's operation to the answer.");
  std::uint64_t count = 0;
  for (std::size_t bucket = 0; bucket < metrics.buckets.size(); ++bucket) {
    count += read(metrics.buckets[bucket]);
    bool last = bucket == StateMetrics::kBounds.size();
    out.sample({{"le", last ? "+Inf" : StateMetrics::kBounds[bucket].seconds}}, count, "_bucket");
  }
  out.sample_seconds({}, read(metrics.sum_ns), "_sum");
  out.sample({}, count, "_count");
}

}  // namespace

void write_state(Exposition& out, const capability::State& state) {
  write_operations(out, state.metrics());
  write_durations(out, state.metrics());
  std::optional<bool> reachable = state.reachable();
  if (!reachable) return;
  out.family("sandgate_state_reachable", MetricType::kGauge, "1 while every connection to the shared store is up.");
  out.sample({}, *reachable ? 1 : 0);
}

}  // namespace sandgate::telemetry
