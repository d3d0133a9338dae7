// SPDX-License-Identifier: Apache-2.0
//
// What the server remembers of every exchange: counters and a line of the access log.
#pragma once

#include "gateway/observer.h"
#include "telemetry/access_log.h"
#include "telemetry/metrics.h"
#include "telemetry/route_metrics.h"

namespace sandgate::server {

class Observer final : public gateway::ExchangeObserver {
 public:
  // Both outlive the observer. `access_log` may be null: off.
  Observer(telemetry::Metrics& metrics, telemetry::AccessLog* access_log)
      : metrics_(metrics), access_log_(access_log) {}

  void began(Exchange& exchange) override {
    metrics_.loop(exchange.loop().index()).request_started();
    exchange.record.keeps_steps = access_log_ != nullptr;
  }
  void ended(Exchange& exchange, Nanoseconds duration) override {
    metrics_.loop(exchange.loop().index()).request_ended(exchange, duration);
    if (exchange.route.counts != nullptr) exchange.route.counts->request_ended(exchange, duration);
    if (access_log_ != nullptr) access_log_->record(exchange, duration);
  }

 private:
  telemetry::Metrics& metrics_;
  telemetry::AccessLog* access_log_;
};

}  // namespace sandgate::server
