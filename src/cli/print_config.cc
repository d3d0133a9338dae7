// SPDX-License-Identifier: Apache-2.0
#include "cli/print_config.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <string>
#include <utility>
#include <vector>

#include "capability/key_value/state_options.h"
#include "config/manifest_json.h"

namespace sandgate::cli {
namespace {

namespace json = boost::json;

json::value text_or_null(const std::string& text) {
  if (text.empty()) return nullptr;
  return json::string(text);
}

json::array texts(const std::vector<std::string>& list) {
  json::array out;
  for (const std::string& text : list) out.emplace_back(text);
  return out;
}

json::value access_log(telemetry::AccessLogFormat format) {
  switch (format) {
    case telemetry::AccessLogFormat::kOff: return "off";
    case telemetry::AccessLogFormat::kText: return "text";
    case telemetry::AccessLogFormat::kJson: return "json";
  }
  return nullptr;
}

json::value server_timing(gateway::ServerTimingRule rule) {
  switch (rule) {
    case gateway::ServerTimingRule::kOff: return "off";
    case gateway::ServerTimingRule::kAlways: return "always";
    case gateway::ServerTimingRule::kOnRequest: return "on_request";
  }
  return nullptr;
}

}  // namespace

std::string config_json(const config::Settings& settings, const config::Manifest& manifest) {
  json::object config;
  config["host"] = settings.host;
  config["port"] = settings.port;
  if (!settings.listen.empty()) config["listen"] = texts(settings.listen);
  config["threads"] = config::loop_count(settings);
  config["worker-urls"] = texts(settings.worker_urls);
  config["trusted-proxies"] = texts(settings.trusted_proxies);
  config["max-connections"] = settings.connections_max;
  config["drain-seconds"] = std::chrono::duration_cast<std::chrono::seconds>(settings.drain).count();
  config["handover"] = text_or_null(settings.handover);
  config["enable-wasm"] = settings.enable_wasm;
  config["admin-token"] = settings.admin_token.empty() ? json::value(nullptr) : json::value("set");
  config["admin-listen"] = text_or_null(settings.admin_listen);
  config["wasm-admin"] = settings.wasm_admin_loopback ? json::value("loopback") : json::value(nullptr);
  config["wasm-module"] = texts(settings.wasm_modules);
  config["module-dir"] = text_or_null(settings.module_directory);
  config["cache-dir"] = text_or_null(settings.cache_directory);
  config["data-dir"] = text_or_null(settings.data_directory);
  config["wasm-max-memory-pages"] = settings.wasm_memory_pages_max;
  config["wasm-max-execution-time-ms"] = settings.wasm_execution_time_max.count();
  config["wasm-max-cpu-time-ms"] =
      settings.wasm_cpu_time_max.count() == 0 ? json::value(nullptr) : json::value(settings.wasm_cpu_time_max.count());
  config["wasm-max-stack-size"] = settings.wasm_stack_bytes_max;
  config["wasm-thread-pool-size"] = config::calls_max(settings);
  config["wasm-module-cache-size"] = settings.wasm_warm_instances;
  Result<capability::StateUrl> state = capability::parse_state_url(settings.state.url);
  config["state"] = state ? state->text() : "invalid";
  config["max-body-size"] = settings.body_bytes_max;
  config["metrics-listen"] = text_or_null(settings.metrics_listen);
  config["health"] = settings.health_endpoints;
  config["metrics"] = settings.metrics_endpoint;
  config["access-log"] = access_log(settings.access_log);
  config["access-log-query"] = settings.access_log_query;
  config["trace-context"] = settings.trace_context == gateway::TraceContext::kCreate ? "create" : "keep";
  config["server-timing"] = server_timing(settings.server_timing);
  if (!settings.config_file.empty()) config["file"] = settings.config_file;
  for (auto& [name, value] : config::manifest_json(manifest)) config[name] = std::move(value);
  return json::serialize(config);
}

}  // namespace sandgate::cli
