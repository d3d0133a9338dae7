// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/arena.h"
#include "cli/commands.h"
#include "config/manifest.h"
#include "config/manifest_json.h"
#include "config/units.h"
#include "http/field.h"
#include "http/target.h"
#include "routing/route_table.h"

namespace sandgate::cli {
namespace {

using routing::RouteTable;

// The request that is asked about; nothing when it is none, with the reason on stderr.
bool parse_request(const ExplainOptions& options, http::RequestHead& request) {
  Arena& arena = request.fields.arena();
  std::string_view target = options.url;
  std::string_view authority = "localhost";
  std::size_t scheme = target.find("://");
  if (scheme != std::string_view::npos && !target.starts_with('/')) {
    std::string_view after = target.substr(scheme + 3);
    std::size_t path = after.find_first_of("/?");
    authority = after.substr(0, path);
    target = path == std::string_view::npos ? std::string_view("/") : after.substr(path);
  }
  for (const std::string& line : options.fields) {
    std::size_t colon = line.find(':');
    std::string_view name = std::string_view(line).substr(0, colon);
    std::string_view value = colon == std::string::npos ? std::string_view() : std::string_view(line).substr(colon + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    if (colon == std::string::npos || !http::is_field_name(name) || !http::is_field_value(value)) {
      fmt::print(stderr, "sandgate explain: -H \"{}\": write \"Name: value\"\n", line);
      return false;
    }
    request.fields.add_copy(name, value);
    if (http::field_id(name) == http::FieldId::kHost) authority = arena.copy(value);
  }
  std::optional<std::string_view> path = http::normalise_path(target.substr(0, target.find('?')), arena);
  if (!path || !http::parse_authority(authority) || !http::is_token(options.method)) {
    fmt::print(stderr, "sandgate explain: {} {}: write a method and a path or an absolute URL, as GET /v1/users\n",
               options.method, options.url);
    return false;
  }
  request.method = options.method;
  request.authority = arena.copy(authority);
  request.path = *path;
  return true;
}

std::string where(const config::RouteEntry& route, const std::string& file) {
  return fmt::format("\"{}\" ({}:{})", route.name, file, route.line);
}

std::string reason(const config::RouteEntry& route, RouteTable::Verdict verdict) {
  std::string methods;
  for (const std::string& method : route.rule.methods) methods += (methods.empty() ? "" : ", ") + method;
  switch (verdict) {
    case RouteTable::Verdict::kServes: return "serves it: the most specific route that fits";
    case RouteTable::Verdict::kWouldServe: return "fits too, but is less specific";
    case RouteTable::Verdict::kOtherMethod: return fmt::format("takes other methods only: {}", methods);
    case RouteTable::Verdict::kOtherFields: return "its conditions on fields do not hold";
  }
  return {};
}

std::string limit_text(const modules::ModuleOptions& options, const config::Settings& settings) {
  constexpr std::uint64_t kPageBytes = 64 * 1024;
  std::uint64_t memory = settings.wasm_memory_pages_max * kPageBytes;
  if (options.limits.memory_bytes != 0) memory = std::min(memory, options.limits.memory_bytes);
  Milliseconds time = settings.wasm_execution_time_max;
  if (options.limits.time_ms != 0) time = std::min(time, Milliseconds(options.limits.time_ms));
  std::string text = fmt::format("{} memory, {} time", config::format_bytes(memory), config::format_duration(time));
  Milliseconds cpu = settings.wasm_cpu_time_max;
  if (options.limits.cpu_ms != 0) cpu = Milliseconds(options.limits.cpu_ms);
  if (cpu.count() != 0) text += fmt::format(", {} CPU", config::format_duration(cpu));
  return text;
}

void print_modules(const config::RouteEntry& route, const config::Settings& settings) {
  if (route.deployed_modules) fmt::print("  modules deployed through the API run first\n");
  for (std::size_t i = 0; i < route.middleware.size(); ++i) {
    const config::ModuleUse& use = route.middleware[i];
    fmt::print("  {}. module {} (line {})\n", i + 1, use.module, use.line);
    std::string grants;
    for (const std::string& store : use.options.key_value)
      grants += (grants.empty() ? "" : ", ") + ("key_value " + store);
    if (use.options.config)
      grants += (grants.empty() ? "" : ", ") + fmt::format("{} settings", use.options.config->size());
    fmt::print("     granted: {}\n", grants.empty() ? "nothing" : grants);
    fmt::print("     budget: {}\n", limit_text(use.options, settings));
    fmt::print("     on failure: {} for requests, {} for responses\n",
               modules::on_failure_name(use.options.on_failure_at(modules::AttachPoint::kOnRequest)),
               modules::on_failure_name(use.options.on_failure_at(modules::AttachPoint::kOnResponse)));
  }
}

void print_target(const config::RouteEntry& route) {
  if (const auto* to = std::get_if<config::ToUpstream>(&route.target)) {
    fmt::print("  then upstream {}\n", to->upstream);
  } else if (const auto* files = std::get_if<gateway::StaticFilesOptions>(&route.target)) {
    fmt::print("  then the files of {}\n", files->directory);
  } else {
    fmt::print("  then the response {}\n", std::get<gateway::FixedResponseOptions>(route.target).status);
  }
}

}  // namespace

int explain(const ExplainOptions& options) {
  Result<config::Loaded> loaded = config::load_manifest(options.file);
  if (!loaded) {
    fmt::print(stderr, "{}\n", loaded.error().detail);
    return kExitFailed;
  }
  for (const std::string& mistake : loaded->diagnostics.lines(options.file)) fmt::print(stderr, "{}\n", mistake);
  if (loaded->manifest == nullptr) return kExitFailed;
  Arena arena;
  http::RequestHead request(arena);
  if (!parse_request(options, request)) return kExitUsage;

  std::vector<routing::RouteRule> rules;
  for (const config::RouteEntry& route : loaded->manifest->routes) rules.push_back(route.rule);
  RouteTable table(std::move(rules));
  fmt::print("{} {}{}\n", request.method, request.authority, request.path);
  bool served = false;
  for (const RouteTable::Candidate& candidate : table.candidates(request)) {
    const config::RouteEntry& route = loaded->manifest->routes[candidate.route];
    fmt::print("route {}: {}\n", where(route, options.file), reason(route, candidate.verdict));
    if (candidate.verdict != RouteTable::Verdict::kServes) continue;
    served = true;
    print_modules(route, loaded->settings);
    print_target(route);
  }
  if (served) return kExitOk;
  std::string allowed = table.allowed_methods(request);
  fmt::print("no route serves it: {}\n", allowed.empty() ? "404" : fmt::format("405, allowed are {}", allowed));
  return kExitOk;
}

}  // namespace sandgate::cli
