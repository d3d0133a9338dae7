// SPDX-License-Identifier: Apache-2.0
#include "server/assembly.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>

#include "gateway/cidr.h"
#include "gateway/worker_urls.h"
#include "modules/start_up.h"
#include "server/cache_directory.h"
#include "server/upstream_metrics.h"
#include "version.h"

namespace sandgate::server {
namespace {

std::string_view admin_text(admin::AdminRule rule) {
  switch (rule) {
    case admin::AdminRule::kOff: return "nobody (no --admin-token, and the port is open beyond this machine)";
    case admin::AdminRule::kLoopback: return "plain clients on this machine";
    case admin::AdminRule::kToken: return "whoever shows the admin token";
    case admin::AdminRule::kSocket: return "whoever may open the Unix socket";
  }
  return "nobody";
}

}  // namespace

Result<std::unique_ptr<Assembly>> Assembly::create(const config::Settings& settings, const Surroundings& surroundings,
                                                   std::shared_ptr<const config::Manifest> manifest) {
  std::unique_ptr<Assembly> assembly(new Assembly());
  Status built = assembly->build_engine(settings, surroundings);
  if (!built) return fail(std::move(built.error()));
  assembly->build_telemetry(settings, surroundings.loops.size());
  built = assembly->build_handlers(settings, surroundings);
  if (!built) return fail(std::move(built.error()));
  config::Diagnostics wrong;
  if (assembly->serve_manifest(std::move(manifest), wrong)) return assembly;
  std::string all;
  for (const std::string& line : wrong.lines(settings.config_file)) all += (all.empty() ? "" : "\n") + line;
  return fail(ErrorKind::kInvalid, std::move(all));
}

bool Assembly::serve_manifest(std::shared_ptr<const config::Manifest> manifest, config::Diagnostics& out) {
  std::shared_ptr<const Site> before = site();
  std::shared_ptr<const Site> next = Site::build(ground_, std::move(manifest), before.get(), out);
  if (next == nullptr) return false;
  if (registry_ != nullptr) {
    if (Status set = registry_->set_file_modules(next->modules()); !set) {
      out.add(0, set.error().detail);
      return false;
    }
  }
  {
    std::lock_guard lock(site_mutex_);
    site_ = next;
  }
  current_->set(next);
  if (before != nullptr) before->retire();
  store_.touch();
  return true;
}

std::shared_ptr<const Site> Assembly::site() const {
  std::lock_guard lock(site_mutex_);
  return site_;
}

// The engine reserves address space and the compiler starts threads: only when modules can be deployed.
Status Assembly::build_engine(const config::Settings& settings, const Surroundings& surroundings) {
  if (!settings.enable_wasm) {
    if (settings.wasm_modules.empty()) return {};
    return fail(ErrorKind::kInvalid, "--wasm-module: modules are off; add --enable-wasm");
  }
  sandbox::EngineOptions engine_options;
  engine_options.memory_bytes_max = settings.wasm_memory_pages_max * sandbox::kWasmPageBytes;
  engine_options.stack_bytes = settings.wasm_stack_bytes_max;
  Result<std::unique_ptr<sandbox::Engine>> engine = sandbox::Engine::create(engine_options);
  if (!engine) return fail(std::move(engine.error()));
  engine_ = std::move(*engine);
  for (Loop* loop : surroundings.loops) run_queues_.push_back(sandbox::RunQueue::create(*engine_, *loop));
  sandbox::CompilerOptions options;
  options.program = settings.compiler_program;
  options.stack_bytes = engine_options.stack_bytes;
  options.memory_bytes_max = engine_options.memory_bytes_max;
  options.cache_directory = settings.cache_directory.empty() ? default_cache_directory() : settings.cache_directory;
  Result<std::unique_ptr<sandbox::Compiler>> compiler = sandbox::Compiler::create(options, engine_);
  if (!compiler) return fail(std::move(compiler.error()));
  compiler_ = std::move(*compiler);
  return deploy_modules(settings, surroundings.data_lock);
}

// Before the port opens: no request passes a gateway whose modules are not there yet.
Status Assembly::deploy_modules(const config::Settings& settings, const platform::Descriptor* data_lock) {
  std::unique_ptr<modules::ModuleArchive> archive;
  if (!settings.data_directory.empty()) {
    Result<std::unique_ptr<modules::ModuleArchive>> opened =
        data_lock == nullptr ? modules::ModuleArchive::open(settings.data_directory)
                             : modules::ModuleArchive::open(settings.data_directory, *data_lock);
    if (!opened) return fail(std::move(opened.error()));
    archive = std::move(*opened);
  }
  registry_ = std::make_unique<modules::Registry>(store_, std::move(archive));
  if (Status restored = modules::restore_modules(*registry_, *compiler_); !restored) return restored;
  for (const std::string& argument : settings.wasm_modules) {
    Status deployed = modules::deploy_module_argument(*registry_, *compiler_, argument, settings.module_directory);
    if (!deployed) return deployed;
  }
  deployer_ = std::make_unique<modules::Deployer>(*registry_, *compiler_, settings.module_directory);
  return {};
}

void Assembly::build_telemetry(const config::Settings& settings, std::size_t loops) {
  metrics_ = std::make_unique<telemetry::Metrics>(static_cast<unsigned>(loops));
  route_metrics_ = std::make_unique<telemetry::RouteMetrics>(static_cast<unsigned>(loops));
  if (settings.access_log != telemetry::AccessLogFormat::kOff) {
    telemetry::AccessLogOptions options;
    options.format = settings.access_log;
    if (settings.access_log_query) options.query = telemetry::LoggedQuery::kShown;
    access_log_ = telemetry::AccessLog::create(options, static_cast<unsigned>(loops));
  }
  observer_ = std::make_unique<Observer>(*metrics_, access_log_.get());
}

// Before guests run; a Redis that is away is no reason not to start.
Status Assembly::build_state(const config::Settings& settings, const Surroundings& surroundings) {
  Result<std::unique_ptr<capability::State>> state =
      capability::State::create(settings.state, surroundings.loop_threads);
  if (!state) return fail(std::move(state.error()));
  state_ = std::move(*state);
  return {};
}

void Assembly::build_calls(const config::Settings& settings) {
  std::vector<sandbox::RunQueue*> queues;
  for (const auto& queue : run_queues_) queues.push_back(queue.get());
  gateway::GuestCalls::Options options;
  options.budget.output_bytes = settings.body_bytes_max;
  options.budget.memory_bytes = settings.wasm_memory_pages_max * sandbox::kWasmPageBytes;
  options.budget.wall = settings.wasm_execution_time_max;
  options.budget.cpu = settings.wasm_cpu_time_max;
  options.warm_instances_max = settings.wasm_warm_instances;
  // Whoever waits sees one whole call before its own, and the next, end.
  call_limit_ = std::make_unique<sandbox::CallLimit>(config::calls_max(settings), 2 * options.budget.wall);
  guest_calls_ = std::make_unique<gateway::GuestCalls>(queues, gateway::GuestServices{guest_log_, *state_}, store_,
                                                       *call_limit_, options);
}

void Assembly::build_ground(const Surroundings& surroundings) {
  ground_.loops = surroundings.loops;
  ground_.resolver = &resolver_;
  ground_.store = &store_;
  ground_.compiler = compiler_.get();
  ground_.calls = guest_calls_.get();
  ground_.routes = route_metrics_.get();
  current_ = std::make_unique<gateway::HandlerSwitch>(surroundings.loops);
}

// The module API, and the operators' API: that one is on the main port only when somebody asked for it, because its
// paths may be an upstream's there.
Status Assembly::build_admin(const config::Settings& settings, const Surroundings& surroundings) {
  Result<admin::AdminAccess> access =
      admin::choose_admin_access({settings.admin_token, surroundings.beyond_loopback, settings.wasm_admin_loopback});
  if (surroundings.admin_listener)
    access = admin::choose_listener_access(*surroundings.admin_listener, settings.admin_token);
  if (!access) return fail(std::move(access.error()));
  admin_rule_ = access->rule;
  const Handler* wasm = &wasm_off_;
  if (engine_) {
    wasm_api_ = std::make_unique<admin::WasmApi>(store_, *deployer_);
    wasm = wasm_api_.get();
    wasm_guard_ = std::make_unique<admin::AdminGuard>(*access, *wasm);
  }
  control_ = std::make_unique<ServerControl>(*this, settings, surroundings.load);
  control_api_ = std::make_unique<admin::ControlApi>(*control_, *wasm);
  if (surroundings.admin_listener || !settings.admin_token.empty() || settings.wasm_admin_loopback)
    control_guard_ = std::make_unique<admin::AdminGuard>(*std::move(access), *control_api_);
  if (!surroundings.admin_listener) return {};
  gateway::GatewaySettings own;
  using Match = gateway::Endpoint::Match;
  own.endpoints = {{admin::ControlApi::kPath, Match::kTree, control_guard_.get()}};
  if (wasm_guard_) own.endpoints.push_back({admin::WasmApi::kPath, Match::kTree, wasm_guard_.get()});
  if (settings.health_endpoints) {
    own.endpoints.push_back({"/healthz", Match::kPath, &health_});
    own.endpoints.push_back({"/readyz", Match::kPath, &readiness_});
  }
  if (settings.metrics_endpoint) own.endpoints.push_back({"/metrics", Match::kPath, metrics_page_.get()});
  admin_gateway_ = std::make_unique<gateway::Gateway>(std::move(own), only_admin_, surroundings.loops.size());
  return {};
}

void Assembly::build_metrics_page(const Surroundings& surroundings) {
  telemetry::MetricsSources sources;
  sources.metrics = metrics_.get();
  sources.routes = route_metrics_.get();
  sources.modules = &store_;
  sources.access_log = access_log_.get();
  sources.state = state_.get();
  sources.connections = surroundings.connections;
  sources.build = {kVersion, kRevision};
  sources.more = [this](telemetry::Exposition& out) { write_upstream_servers(out, control_->upstreams()); };
  metrics_page_ = std::make_unique<admin::MetricsHandler>(std::move(sources));
  metrics_guard_ = std::make_unique<admin::MetricsGuard>(*metrics_page_);

  gateway::GatewaySettings metrics;
  metrics.endpoints = {{"/metrics", gateway::Endpoint::Match::kPath, metrics_page_.get()}};
  metrics_gateway_ = std::make_unique<gateway::Gateway>(std::move(metrics), only_metrics_, surroundings.loops.size());
}

Status Assembly::build_handlers(const config::Settings& settings, const Surroundings& surroundings) {
  if (engine_) {
    if (Status built = build_state(settings, surroundings); !built) return built;
    build_calls(settings);
  }
  build_ground(surroundings);
  ground_.middleware.body_bytes_max = settings.body_bytes_max;
  build_metrics_page(surroundings);
  if (Status built = build_admin(settings, surroundings); !built) return built;

  Result<std::vector<gateway::Cidr>> trusted = gateway::parse_cidr_list(settings.trusted_proxies);
  if (!trusted) return fail(ErrorKind::kInvalid, fmt::format("--trusted-proxies: {}", trusted.error().detail));
  gateway::GatewaySettings main;
  if (!settings.trusted_proxies.empty()) main.forwarding = gateway::ForwardingFields(std::move(*trusted));
  main.endpoints = endpoints(settings);
  main.observer = observer_.get();
  main.trace_context = settings.trace_context;
  main.server_timing = settings.server_timing;
  const Handler* next = current_.get();
  if (settings.requests_in_flight_max != 0) {
    admission_ = std::make_unique<gateway::Admission>(settings.requests_in_flight_max, *current_);
    next = admission_.get();
  }
  gateway_ = std::make_unique<gateway::Gateway>(std::move(main), *next, surroundings.loops.size());
  return {};
}

std::vector<gateway::Endpoint> Assembly::endpoints(const config::Settings& settings) const {
  using Match = gateway::Endpoint::Match;
  std::vector<gateway::Endpoint> table;
  const Handler* wasm = &wasm_off_;
  if (wasm_guard_) wasm = wasm_guard_.get();
  if (engine_ && admin_gateway_) wasm = &wasm_elsewhere_;
  table.push_back({"/wasm", Match::kTree, wasm});
  if (control_guard_ && !admin_gateway_)
    table.push_back({admin::ControlApi::kPath, Match::kTree, control_guard_.get()});
  if (settings.health_endpoints) {
    table.push_back({"/healthz", Match::kPath, &health_});
    table.push_back({"/readyz", Match::kPath, &readiness_});
  }
  if (settings.metrics_endpoint && settings.metrics_listen.empty())
    table.push_back({"/metrics", Match::kPath, metrics_guard_.get()});
  return table;
}

void Assembly::stop_watching() const {
  if (state_ != nullptr) state_->stop();
  std::shared_ptr<const Site> serving = site();
  if (serving == nullptr) return;
  for (const auto& upstream : serving->upstreams()) upstream->stop();
}

std::string Assembly::description() const {
  // All of a few servers are worth their place in the line; many are in the file.
  constexpr std::size_t kServersShownMax = 8;
  std::shared_ptr<const Site> serving = site();
  std::string servers;
  std::size_t count = 0;
  for (const config::UpstreamEntry& upstream : serving->manifest().upstreams) {
    for (const gateway::ServerOptions& server : upstream.options.servers) {
      if (++count <= kServersShownMax) servers += fmt::format("{}{}", count == 1 ? "" : ", ", server.authority());
    }
  }
  if (count > kServersShownMax) servers = fmt::format("{} upstream servers", count);
  std::string routes = fmt::format("{} route{}, upstreams {}", serving->manifest().routes.size(),
                                   serving->manifest().routes.size() == 1 ? "" : "s", count == 0 ? "none" : servers);
  if (!engine_) return fmt::format("{}; modules off (--enable-wasm turns them on)", routes);
  return fmt::format("{}; modules on: {}; state in {}; /wasm for {}", routes, engine_->description(), state_->text(),
                     admin_text(admin_rule_));
}

}  // namespace sandgate::server
