// SPDX-License-Identifier: Apache-2.0
//
// Turns settings into the handlers of a server: the only place that knows the whole list. Members are declared in the
// order they need each other, so they end in the opposite one. Made on one thread before the loops run, destroyed after
// they ended.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admin/guard.h"
#include "admin/health.h"
#include "admin/wasm_api.h"
#include "base/result.h"
#include "capability/key_value/memory_stores.h"
#include "gateway/chain.h"
#include "gateway/gateway.h"
#include "gateway/guest_calls.h"
#include "gateway/proxy.h"
#include "gateway/upstream.h"
#include "modules/deployer.h"
#include "modules/guest_log.h"
#include "modules/module_store.h"
#include "modules/registry.h"
#include "sandbox/compiler.h"
#include "sandbox/engine.h"
#include "sandbox/run_queue.h"
#include "server/observer.h"
#include "server/settings.h"
#include "telemetry/access_log.h"
#include "telemetry/metrics.h"

namespace sandgate::server {

// Answers 404: what a listener with one endpoint says to everything else.
class NotFound final : public Handler {
 public:
  // `see` is static: the endpoint.
  explicit NotFound(std::string_view see) : see_(see) {}
  Task<Status> serve(Exchange&) const override {
    co_return fail(ErrorKind::kNotFound, "there is nothing here; see " + std::string(see_));
  }

 private:
  std::string_view see_;
};

class Assembly {
 public:
  // What the assembly cannot know by itself.
  struct Surroundings {
    std::vector<Loop*> loops;      // outlive the assembly
    bool beyond_loopback = false;  // the main port listens on an address that other machines reach
    std::optional<admin::AdminListener> admin_listener;        // where /wasm is; nothing: on the main port
    std::function<telemetry::ConnectionCounts()> connections;  // for the metrics; called once the loops run
  };
  static Result<std::unique_ptr<Assembly>> create(const Settings& settings, const Surroundings& surroundings);

  // What the main port serves.
  const Handler& main_handler() const { return *gateway_; }
  // What --metrics-listen serves.
  const Handler& metrics_handler() const { return *metrics_gateway_; }
  // What --admin-listen serves.
  const Handler& admin_handler() const { return *admin_gateway_; }
  void set_ready(bool ready) { ready_.store(ready, std::memory_order_release); }
  std::string description() const;

 private:
  Assembly() = default;

  Status build_engine(const Settings& settings, const std::vector<Loop*>& loops);
  Status build_upstream(const Settings& settings, const std::vector<Loop*>& loops);
  void build_telemetry(const Settings& settings, std::size_t loops);
  Status build_handlers(const Settings& settings, const Surroundings& surroundings);
  Status deploy_modules(const Settings& settings);
  void build_calls(const Settings& settings, const Surroundings& surroundings);
  Status build_module_api(const Settings& settings, const Surroundings& surroundings);
  void build_metrics_page(const Surroundings& surroundings);
  std::vector<gateway::Endpoint> endpoints(const Settings& settings) const;

  std::atomic<bool> ready_{false};
  admin::AdminRule admin_rule_ = admin::AdminRule::kOff;

  modules::GuestLog guest_log_;
  capability::MemoryStores key_value_;
  modules::ModuleStore store_;
  std::shared_ptr<sandbox::Engine> engine_;  // null without --enable-wasm
  std::vector<std::unique_ptr<sandbox::RunQueue>> run_queues_;
  std::unique_ptr<sandbox::Compiler> compiler_;
  std::unique_ptr<modules::Registry> registry_;
  std::unique_ptr<modules::Deployer> deployer_;

  std::unique_ptr<gateway::Upstream> upstream_;
  std::unique_ptr<telemetry::Metrics> metrics_;
  std::unique_ptr<telemetry::AccessLog> access_log_;
  std::unique_ptr<Observer> observer_;

  std::unique_ptr<gateway::Proxy> proxy_;
  std::unique_ptr<sandbox::CallLimit> call_limit_;
  std::unique_ptr<gateway::GuestCalls> guest_calls_;
  std::unique_ptr<gateway::Middleware> middleware_;
  std::unique_ptr<gateway::Chain> chain_;
  admin::HealthHandler health_;
  admin::ReadyHandler readiness_{ready_};
  std::unique_ptr<admin::MetricsHandler> metrics_page_;
  std::unique_ptr<admin::MetricsGuard> metrics_guard_;
  admin::WasmOff wasm_off_;
  admin::WasmElsewhere wasm_elsewhere_;
  NotFound only_metrics_{"/metrics"};
  NotFound only_wasm_{"/wasm"};
  std::unique_ptr<admin::WasmApi> wasm_api_;
  std::unique_ptr<admin::AdminGuard> wasm_guard_;
  std::unique_ptr<gateway::Gateway> gateway_;
  std::unique_ptr<gateway::Gateway> metrics_gateway_;
  std::unique_ptr<gateway::Gateway> admin_gateway_;  // null: /wasm is on the main port
};

}  // namespace sandgate::server
