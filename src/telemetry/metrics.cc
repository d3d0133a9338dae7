// SPDX-License-Identifier: Apache-2.0
#include "telemetry/metrics.h"

#include <algorithm>
#include <utility>

#include "platform/clock.h"

namespace sandgate::telemetry {
namespace {

std::size_t failure_index(int status) {
  switch (status) {
    case 502: return 0;
    case 503: return 1;
    case 504: return 2;
    default: return 3;
  }
}

}  // namespace

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
  if (record.upstream.empty() || names == nullptr) return;
  auto at = static_cast<std::size_t>(std::ranges::find(*names, record.upstream) - names->begin());
  UpstreamMetrics& upstream = upstreams[at];
  upstream.requests.add();
  if (!record.error.empty()) upstream.failures[failure_index(record.status)].add();
}

Metrics::Metrics(unsigned loops, std::vector<std::string> upstreams)
    : upstreams_(std::move(upstreams)), loops_(loops), started_unix_ns_(platform::unix_now_ns()) {
  for (LoopMetrics& loop : loops_) {
    loop.upstreams = std::vector<UpstreamMetrics>(upstreams_.size() + 1);
    loop.names = &upstreams_;
  }
}

}  // namespace sandgate::telemetry
