// SPDX-License-Identifier: Apache-2.0
#include "capability/key_value/state_metrics.h"

#include <algorithm>

namespace sandgate::capability {
namespace {

StateMetrics::Outcome outcome_of(const Answer& answer) {
  using Outcome = StateMetrics::Outcome;
  switch (answer.source) {
    case AnswerSource::kStore: break;
    case AnswerSource::kUnavailable: return Outcome::kUnavailable;
    case AnswerSource::kDropped: return Outcome::kOpen;
    case AnswerSource::kLocal: return Outcome::kLocal;
  }
  return answer.status == sandbox::KeyValueStatus::kOk ? Outcome::kOk : Outcome::kRefused;
}

}  // namespace

void StateMetrics::count(sandbox::KeyValueOperation operation, const Answer& answer, Nanoseconds took) {
  auto row = static_cast<std::size_t>(operation);
  auto column = static_cast<std::size_t>(outcome_of(answer));
  operations[row][column].fetch_add(1, std::memory_order_relaxed);
  auto bound = std::ranges::find_if(kBounds, [took](const Bound& at) { return took.count() <= at.ns; });
  buckets[static_cast<std::size_t>(bound - kBounds.begin())].fetch_add(1, std::memory_order_relaxed);
  sum_ns.fetch_add(static_cast<std::uint64_t>(took.count()), std::memory_order_relaxed);
}

}  // namespace sandgate::capability
