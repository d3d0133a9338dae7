// SPDX-License-Identifier: Apache-2.0
//
// Turns settings into the handlers of a server: the only place that knows the whole list. Members are declared in the
// order they need each other, so they end in the opposite one. Made on one thread before the loops run, destroyed after
// they ended.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admin/control_api.h"
#include "admin/guard.h"
#include "admin/health.h"
#include "admin/wasm_api.h"
#include "base/result.h"
#include "capability/key_value/state.h"
#include "config/manifest.h"
#include "config/settings.h"
#include "gateway/admission.h"
#include "gateway/gateway.h"
#include "gateway/guest_calls.h"
#include "gateway/handler_switch.h"
#include "modules/deployer.h"
#include "modules/guest_log.h"
#include "modules/module_store.h"
#include "modules/registry.h"
#include "net/resolver.h"
#include "sandbox/compiler.h"
#include "sandbox/engine.h"
#include "sandbox/run_queue.h"
#include "server/control.h"
#include "server/observer.h"
#include "server/site.h"
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
    std::vector<Loop*> loops;                    // outlive the assembly
    std::vector<net::LoopThread*> loop_threads;  // the same
    bool beyond_loopback = false;                // the main port listens on an address that other machines reach
    std::optional<admin::AdminListener> admin_listener;        // where /wasm is; nothing: on the main port
    LoadConfiguration load;                                    // empty: there is nothing to load again
    std::function<telemetry::ConnectionCounts()> connections;  // for the metrics; called once the loops run
    const platform::Descriptor* data_lock = nullptr;           // shared by the server before; null: there is none
  };
  // `manifest` is what is served at first.
  static Result<std::unique_ptr<Assembly>> create(const config::Settings& settings, const Surroundings& surroundings,
                                                  std::shared_ptr<const config::Manifest> manifest);

  // What the main port serves.
  const Handler& main_handler() const { return *gateway_; }
  // What --metrics-listen serves.
  const Handler& metrics_handler() const { return *metrics_gateway_; }
  // What --admin-listen serves.
  const Handler& admin_handler() const { return *admin_gateway_; }
  // Serves another manifest from now on; what runs finishes on the one before. Blocking; any thread but a loop's, one
  // change at a time. Nothing changes when something is wrong: then `out` has it, with the lines of the manifest.
  bool serve_manifest(std::shared_ptr<const config::Manifest> manifest, config::Diagnostics& out);
  std::shared_ptr<const Site> site() const;
  // Before the loops end: no more probes of upstreams, look-ups of their names, and connections to the shared store.
  void stop_watching() const;
  admin::Control& control() { return *control_; }
  // Null when modules are off.
  modules::Registry* registry() { return registry_.get(); }
  void set_ready(bool ready) { ready_.store(ready, std::memory_order_release); }
  std::string description() const;
  // Requests that were not admitted. Any thread.
  std::uint64_t refused_requests() const { return admission_ != nullptr ? admission_->refused() : 0; }

 private:
  Assembly() = default;

  Status build_engine(const config::Settings& settings, const Surroundings& surroundings);
  void build_telemetry(const config::Settings& settings, std::size_t loops);
  void build_ground(const Surroundings& surroundings);
  Status build_handlers(const config::Settings& settings, const Surroundings& surroundings);
  Status deploy_modules(const config::Settings& settings, const platform::Descriptor* data_lock);
  Status build_state(const config::Settings& settings, const Surroundings& surroundings);
  void build_calls(const config::Settings& settings);
  Status build_admin(const config::Settings& settings, const Surroundings& surroundings);
  void build_metrics_page(const Surroundings& surroundings);
  std::vector<gateway::Endpoint> endpoints(const config::Settings& settings) const;

  std::atomic<bool> ready_{false};
  admin::AdminRule admin_rule_ = admin::AdminRule::kOff;

  modules::GuestLog guest_log_;
  modules::ModuleStore store_;
  std::shared_ptr<sandbox::Engine> engine_;  // null without --enable-wasm
  std::vector<std::unique_ptr<sandbox::RunQueue>> run_queues_;
  std::unique_ptr<capability::State> state_;  // null as the engine; ends before it
  std::unique_ptr<sandbox::Compiler> compiler_;
  std::unique_ptr<modules::Registry> registry_;
  std::unique_ptr<modules::Deployer> deployer_;

  std::unique_ptr<telemetry::Metrics> metrics_;
  std::unique_ptr<telemetry::RouteMetrics> route_metrics_;
  std::unique_ptr<telemetry::AccessLog> access_log_;
  std::unique_ptr<Observer> observer_;

  std::unique_ptr<sandbox::CallLimit> call_limit_;
  std::unique_ptr<gateway::GuestCalls> guest_calls_;
  net::Resolver resolver_;
  SiteGround ground_;
  mutable std::mutex site_mutex_;
  std::shared_ptr<const Site> site_;  // guarded by the mutex
  std::unique_ptr<gateway::HandlerSwitch> current_;
  std::unique_ptr<ServerControl> control_;
  std::unique_ptr<gateway::Admission> admission_;  // null: no bound
  admin::HealthHandler health_;
  admin::ReadyHandler readiness_{ready_};
  std::unique_ptr<admin::MetricsHandler> metrics_page_;
  std::unique_ptr<admin::MetricsGuard> metrics_guard_;
  admin::WasmOff wasm_off_;
  admin::WasmElsewhere wasm_elsewhere_;
  NotFound only_metrics_{"/metrics"};
  NotFound only_admin_{"/admin/v1 and /wasm"};
  std::unique_ptr<admin::WasmApi> wasm_api_;
  std::unique_ptr<admin::AdminGuard> wasm_guard_;
  std::unique_ptr<admin::ControlApi> control_api_;
  std::unique_ptr<admin::AdminGuard> control_guard_;
  std::unique_ptr<gateway::Gateway> gateway_;
  std::unique_ptr<gateway::Gateway> metrics_gateway_;
  std::unique_ptr<gateway::Gateway> admin_gateway_;  // null: /wasm is on the main port
};

}  // namespace sandgate::server
