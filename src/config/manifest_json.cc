// SPDX-License-Identifier: Apache-2.0
#include "config/manifest_json.h"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <variant>

#include "config/units.h"

namespace sandgate::config {
namespace {

namespace json = boost::json;

json::string text(std::string_view value) { return json::string(value.data(), value.size()); }
json::value text_or_null(std::string_view value) {
  if (value.empty()) return nullptr;
  return text(value);
}
json::string duration(Milliseconds value) { return text(format_duration(value)); }

std::string_view balance_name(gateway::Balance balance) {
  switch (balance) {
    case gateway::Balance::kRoundRobin: return "round_robin";
    case gateway::Balance::kLeastRequests: return "least_requests";
    case gateway::Balance::kTwoChoices: return "two_choices";
    case gateway::Balance::kConsistentHash: return "hash";
  }
  return {};
}

std::string hash_text(const gateway::HashKey& key) {
  switch (key.from) {
    case gateway::HashKey::From::kClientAddress: return "client";
    case gateway::HashKey::From::kField: return "field:" + key.name;
    case gateway::HashKey::From::kCookie: return "cookie:" + key.name;
  }
  return {};
}

json::value health_json(const gateway::UpstreamOptions& upstream) {
  if (!upstream.health_check) return nullptr;
  const gateway::HealthCheckOptions& health = *upstream.health_check;
  return json::object{{"path", text(health.path)},
                      {"host", text_or_null(health.host)},
                      {"interval", duration(health.interval)},
                      {"timeout", duration(health.timeout)},
                      {"fails", health.fails},
                      {"passes", health.passes},
                      {"status_min", health.status_min},
                      {"status_max", health.status_max}};
}

json::object upstream_json(const gateway::UpstreamOptions& upstream) {
  json::array servers;
  for (const gateway::ServerOptions& server : upstream.servers) {
    std::string_view scheme = server.scheme == gateway::Scheme::kHttps ? "https://" : "http://";
    servers.push_back(json::object{{"url", text(std::string(scheme) + server.authority())}, {"weight", server.weight}});
  }
  const gateway::UpstreamTimeouts& timeouts = upstream.timeouts;
  json::object out{{"name", text(upstream.name)},
                   {"servers", std::move(servers)},
                   {"balance", text(balance_name(upstream.balance))},
                   {"health", health_json(upstream)},
                   {"ejection", json::object{{"failures", upstream.ejection.failures},
                                             {"time", duration(upstream.ejection.time)},
                                             {"time_max", duration(upstream.ejection.time_max)},
                                             {"percent_max", upstream.ejection.percent_max}}},
                   {"timeouts", json::object{{"connect", duration(timeouts.connect)},
                                             {"first_byte", duration(timeouts.first_byte)},
                                             {"idle", duration(timeouts.idle)},
                                             {"write", duration(timeouts.write)},
                                             {"total", duration(timeouts.total)}}},
                   {"retries", json::object{{"attempts", upstream.retries.attempts},
                                            {"budget_percent", upstream.retries.budget_percent},
                                            {"budget_per_second", upstream.retries.budget_per_s},
                                            {"backoff", duration(upstream.retries.backoff_base)},
                                            {"backoff_max", duration(upstream.retries.backoff_max)}}},
                   {"connections", json::object{{"max", upstream.connections.connections_max},
                                                {"idle_max", upstream.connections.idle_max},
                                                {"idle", duration(upstream.connections.idle)},
                                                {"waiting_max", upstream.connections.waiting_max},
                                                {"waiting", duration(upstream.connections.waiting)}}},
                   {"slow_start", duration(upstream.slow_start)},
                   {"resolve", duration(upstream.resolve)},
                   {"tls", json::object{{"verify", upstream.tls.verify == gateway::UpstreamTlsOptions::Verify::kOn},
                                        {"ca_file", text_or_null(upstream.tls.ca_file)},
                                        {"server_name", text_or_null(upstream.tls.server_name)}}}};
  if (upstream.balance == gateway::Balance::kConsistentHash) out["hash"] = text(hash_text(upstream.hash_key));
  return out;
}

json::object options_json(const modules::ModuleOptions& options) {
  json::object out{{"body", options.body}, {"instance", text(modules::instance_mode_name(options.instance))}};
  out["on_failure"] =
      options.on_failure ? json::value(text(modules::on_failure_name(*options.on_failure))) : json::value(nullptr);
  if (options.instance == modules::InstanceMode::kReuse)
    out["reuse"] = json::object{{"max_calls", options.reuse_calls_max},
                                {"max_age", duration(std::chrono::seconds(options.reuse_seconds_max))}};
  json::object limits;
  if (options.limits.memory_bytes != 0) limits["memory"] = text(format_bytes(options.limits.memory_bytes));
  if (options.limits.time_ms != 0) limits["time"] = duration(Milliseconds(options.limits.time_ms));
  if (options.limits.cpu_ms != 0) limits["cpu"] = duration(Milliseconds(options.limits.cpu_ms));
  if (!limits.empty()) out["limits"] = std::move(limits);
  json::array stores;
  for (const std::string& store : options.key_value) stores.push_back(text(store));
  out["allow"] = json::object{{"key_value", std::move(stores)}};
  if (options.config) {
    json::array names;
    for (const auto& [name, value] : *options.config) names.push_back(text(name));
    out["config"] = std::move(names);
  }
  return out;
}

json::object module_json(const ModuleEntry& module) {
  json::object out{{"name", text(module.name)}, {"file", text(module.path)}};
  json::array points;
  for (modules::AttachPoint point : module.attach) points.push_back(text(modules::attach_point_name(point)));
  out["attach"] = module.attach.empty() ? json::value("wherever it has an export") : json::value(std::move(points));
  for (auto& [name, value] : options_json(module.options)) out[name] = std::move(value);
  return out;
}

json::object fields_json(const std::vector<routing::FieldCondition>& conditions) {
  using Test = routing::FieldCondition::Test;
  json::object out;
  for (const routing::FieldCondition& condition : conditions) {
    out[text(condition.name)] = condition.test == Test::kEquals ? json::value(text(condition.value))
                                                                : json::value(condition.test == Test::kPresent);
  }
  return out;
}

json::object route_json(const RouteEntry& route) {
  json::object out{
      {"name", text(route.name)}, {"host", text(route.rule.host.text())}, {"path", text(route.rule.path.text())}};
  json::array methods;
  for (const std::string& method : route.rule.methods) methods.push_back(text(method));
  out["methods"] = route.rule.methods.empty() ? json::value("all") : json::value(std::move(methods));
  out["fields"] = fields_json(route.rule.fields);
  json::array middleware;
  for (const ModuleUse& use : route.middleware) {
    json::object one{{"module", text(use.module)}};
    for (auto& [name, value] : options_json(use.options)) one[name] = std::move(value);
    middleware.push_back(std::move(one));
  }
  out["middleware"] = std::move(middleware);
  out["deployed_modules"] = route.deployed_modules;
  if (const auto* to = std::get_if<ToUpstream>(&route.target)) {
    constexpr std::string_view kNames[] = {"whole", "rest", "raw"};
    out["upstream"] = text(to->upstream);
    out["upstream_path"] = text(kNames[static_cast<std::size_t>(to->path)]);
  } else if (const auto* files = std::get_if<gateway::StaticFilesOptions>(&route.target)) {
    json::array index;
    for (const std::string& name : files->index) index.push_back(text(name));
    out["files"] = json::object{{"directory", text(files->directory)},
                                {"index", std::move(index)},
                                {"cache_control", text_or_null(files->cache_control)},
                                {"dot_files", files->dot_files == gateway::StaticFilesOptions::DotFiles::kServed}};
  } else {
    const auto& response = std::get<gateway::FixedResponseOptions>(route.target);
    json::object fields;
    for (const auto& [name, value] : response.fields) fields[text(name)] = text(value);
    out["respond"] = json::object{{"status", response.status},
                                  {"body", text(response.body)},
                                  {"content_type", text(response.content_type)},
                                  {"fields", std::move(fields)}};
  }
  return out;
}

}  // namespace

json::object manifest_json(const Manifest& manifest) {
  json::array upstreams;
  json::array modules;
  json::array routes;
  for (const UpstreamEntry& upstream : manifest.upstreams) upstreams.push_back(upstream_json(upstream.options));
  for (const ModuleEntry& module : manifest.modules) modules.push_back(module_json(module));
  for (const RouteEntry& route : manifest.routes) routes.push_back(route_json(route));
  return {{"upstreams", std::move(upstreams)}, {"modules", std::move(modules)}, {"routes", std::move(routes)}};
}

}  // namespace sandgate::config
