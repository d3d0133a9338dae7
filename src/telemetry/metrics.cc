// SPDX-License-Identifier: Apache-2.0
#include "telemetry/metrics.h"

#include "platform/clock.h"

namespace sandgate::telemetry {

std::size_t method_index(std::string_view method) {
  constexpr std::size_t kOther = kMethodLabels.size() - 1;
  for (std::size_t i = 0; i < kOther; ++i) {
    if (method == kMethodLabels[i]) return i;
  }
  return kOther;
}

std::size_t status_index(int status) {
  return status >= 100 && status < 600 ? static_cast<std::size_t>(status / 100) : 0;
}

void LoopMetrics::request_ended(const Exchange& exchange, Nanoseconds duration) noexcept {
  const ExchangeRecord& record = exchange.record;
  requests_ended.add();
  request_bytes.add(record.request_bytes);
  response_bytes.add(record.response_bytes);
  requests[method_index(exchange.request.method)][status_index(record.status)].add();
  durations.record(duration);
}

Metrics::Metrics(unsigned loops) : loops_(loops), started_unix_ns_(platform::unix_now_ns()) {}

}  // namespace sandgate::telemetry
