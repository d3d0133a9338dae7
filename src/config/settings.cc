// SPDX-License-Identifier: Apache-2.0
#include "config/settings.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>

namespace sandgate::config {

unsigned loop_count(const Settings& settings) {
  return settings.threads != 0 ? settings.threads : std::clamp(std::thread::hardware_concurrency(), 1U, kThreadsMax);
}

unsigned calls_max(const Settings& settings) {
  constexpr unsigned kDefault = 4;
  return settings.wasm_calls_max != 0 ? settings.wasm_calls_max : std::max(kDefault, loop_count(settings));
}

std::string fixed_settings_that_differ(const Settings& running, const Settings& next) {
  std::string names;
  auto compare = [&names](const auto& a, const auto& b, std::string_view name) {
    if (a != b) names.append(names.empty() ? "" : ", ").append(name);
  };
  compare(running.listen, next.listen, "listen");
  compare(running.threads, next.threads, "threads");
  compare(running.enable_wasm, next.enable_wasm, "modules");
  compare(running.data_directory, next.data_directory, "data_dir");
  compare(running.cache_directory, next.cache_directory, "cache_dir");
  compare(running.module_directory, next.module_directory, "module_dir");
  compare(std::tie(running.admin_listen, running.admin_token, running.wasm_admin_loopback),
          std::tie(next.admin_listen, next.admin_token, next.wasm_admin_loopback), "admin");
  compare(running.trusted_proxies, next.trusted_proxies, "trusted_proxies");
  compare(running.proxy_protocol_from, next.proxy_protocol_from, "proxy_protocol_from");
  compare(running.connections_max, next.connections_max, "max_connections");
  compare(running.connections_per_client_max, next.connections_per_client_max, "max_connections_per_client");
  compare(running.requests_in_flight_max, next.requests_in_flight_max, "max_requests_in_flight");
  compare(running.client_timeouts, next.client_timeouts, "timeouts");
  compare(running.drain, next.drain, "drain");
  compare(running.handover, next.handover, "handover");
  compare(running.health_endpoints, next.health_endpoints, "health");
  compare(std::tie(running.metrics_endpoint, running.metrics_listen),
          std::tie(next.metrics_endpoint, next.metrics_listen), "metrics");
  compare(std::tie(running.access_log, running.access_log_query), std::tie(next.access_log, next.access_log_query),
          "access_log");
  compare(running.state, next.state, "state");
  compare(running.trace_context, next.trace_context, "trace_context");
  compare(running.server_timing, next.server_timing, "server_timing");
  compare(running.wasm_memory_pages_max, next.wasm_memory_pages_max, "memory");
  compare(running.wasm_execution_time_max, next.wasm_execution_time_max, "time");
  compare(running.wasm_cpu_time_max, next.wasm_cpu_time_max, "cpu");
  compare(running.wasm_stack_bytes_max, next.wasm_stack_bytes_max, "stack");
  compare(running.wasm_calls_max, next.wasm_calls_max, "running_calls");
  compare(running.wasm_warm_instances, next.wasm_warm_instances, "warm_instances");
  compare(running.body_bytes_max, next.body_bytes_max, "body");
  return names;
}

}  // namespace sandgate::config
