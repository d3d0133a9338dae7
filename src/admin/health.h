// SPDX-License-Identifier: Apache-2.0
//
// The endpoints for those who watch the server: /healthz (the process answers), /readyz (it wants traffic), /metrics.
// GET and HEAD only. Shared by all loops.
#pragma once

#include <atomic>

#include "exchange/handler.h"
#include "telemetry/metrics_text.h"

namespace sandgate::admin {

// 200 "OK" for as long as the loop runs.
class HealthHandler final : public Handler {
 public:
  Task<Status> serve(Exchange& exchange) const override;
};

// 200 "OK" while `ready`, else 503: before the server is set up, and while it drains.
class ReadyHandler final : public Handler {
 public:
  // `ready` outlives the handler.
  explicit ReadyHandler(const std::atomic<bool>& ready) : ready_(ready) {}
  Task<Status> serve(Exchange& exchange) const override;

 private:
  const std::atomic<bool>& ready_;
};

// The text exposition of all counters.
class MetricsHandler final : public Handler {
 public:
  explicit MetricsHandler(telemetry::MetricsSources sources) : sources_(std::move(sources)) {}
  Task<Status> serve(Exchange& exchange) const override;

 private:
  telemetry::MetricsSources sources_;
};

}  // namespace sandgate::admin
