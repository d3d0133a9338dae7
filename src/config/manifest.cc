// SPDX-License-Identifier: Apache-2.0
#include "config/manifest.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <utility>

#include "config/module_section.h"
#include "config/route_section.h"
#include "config/server_section.h"
#include "config/state_section.h"
#include "config/toml_document.h"
#include "config/upstream_section.h"
#include "gateway/worker_urls.h"
#include "modules/module_store.h"
#include "platform/file.h"
#include "routing/route_table.h"

namespace sandgate::config {
namespace {

// Each has pools on every loop, and probes of its own.
constexpr std::size_t kUpstreamsMax = 1000;

// Of names that must be different. Remembers where each stood.
class UniqueNames {
 public:
  UniqueNames(std::string_view what, Diagnostics& diagnostics) : what_(what), diagnostics_(diagnostics) {}

  void add(const std::string& name, unsigned line) {
    if (name.empty()) return;
    auto [at, fresh] = lines_.emplace(name, line);
    if (!fresh) diagnostics_.add(line, fmt::format("{} \"{}\" is there already, in line {}", what_, name, at->second));
  }

 private:
  std::string_view what_;
  Diagnostics& diagnostics_;
  std::map<std::string, unsigned> lines_;
};

std::vector<UpstreamEntry> read_upstreams(TableReader& in, const std::string& directory) {
  std::vector<UpstreamEntry> upstreams;
  UniqueNames names("[[upstream]]", in.reading().diagnostics);
  in.tables("upstream", [&](TableReader& table) {
    gateway::UpstreamOptions upstream = read_upstream(table, directory);
    names.add(upstream.name, table.line());
    upstreams.push_back({std::move(upstream), table.line()});
  });
  if (upstreams.size() > kUpstreamsMax) in.mistake("upstream", fmt::format("more than {} upstreams", kUpstreamsMax));
  return upstreams;
}

std::vector<ModuleEntry> read_modules(TableReader& in, const std::string& directory) {
  std::vector<ModuleEntry> modules;
  UniqueNames names("[[module]]", in.reading().diagnostics);
  in.tables("module", [&](TableReader& table) {
    ModuleEntry module = read_module(table, directory);
    names.add(module.name, module.line);
    modules.push_back(std::move(module));
  });
  if (modules.size() > modules::ModuleStore::kModulesMax)
    in.mistake("module", fmt::format("more than {} modules", modules::ModuleStore::kModulesMax));
  return modules;
}

std::vector<GroupEntry> read_groups(TableReader& in, const Names& known) {
  std::vector<GroupEntry> groups;
  UniqueNames names("[[group]]", in.reading().diagnostics);
  in.tables("group", [&](TableReader& table) {
    GroupEntry group = read_group(table, known);
    names.add(group.name, table.line());
    groups.push_back(std::move(group));
  });
  return groups;
}

std::vector<RouteEntry> read_routes(TableReader& in, const Names& known, const std::vector<GroupEntry>& groups) {
  std::vector<RouteEntry> routes;
  UniqueNames names("a route named", in.reading().diagnostics);
  in.tables("route", [&](TableReader& table) {
    std::optional<RouteEntry> route = read_route(table, known, groups);
    if (!route) return;
    if (table.has("name")) names.add(route->name, route->line);
    routes.push_back(std::move(*route));
  });
  if (routes.size() > routing::RouteTable::kRoutesMax)
    in.mistake("route", fmt::format("more than {} routes", routing::RouteTable::kRoutesMax));
  return routes;
}

void check_conflicts(const std::vector<RouteEntry>& routes, Diagnostics& diagnostics) {
  std::vector<routing::RouteRule> rules;
  for (const RouteEntry& route : routes) rules.push_back(route.rule);
  for (const routing::RouteTable::Conflict& conflict : routing::RouteTable::conflicts(rules)) {
    diagnostics.add(routes[conflict.second].line,
                    fmt::format("this route and the one in line {} take the same requests ({}); give one of them other "
                                "methods, fields or another path",
                                routes[conflict.first].line, routes[conflict.second].rule.path.text()));
  }
}

// One upstream and no route: everything goes there.
void add_default_route(const Names& names, std::vector<RouteEntry>& routes) {
  if (!routes.empty() || names.upstreams.size() != 1) return;
  routes.push_back({.name = "default",
                    .rule = {routing::HostPattern(), *routing::PathPattern::parse("/*rest"), {}},
                    .target = ToUpstream{names.upstreams.front()}});
}

}  // namespace

Loaded parse_manifest(std::string_view text, const std::string& directory, Catalogue* catalogue) {
  Loaded loaded;
  Table root = parse_toml(text, loaded.diagnostics);
  if (!loaded.diagnostics.empty()) return loaded;
  auto manifest = std::make_shared<Manifest>();
  {
    // Ends before the diagnostics are looked at: then it tells of unknown keys.
    TableReader in(root, 0, "", {loaded.diagnostics, catalogue});
    if (!in.table("server", [&](TableReader& table) { read_server(table, directory, loaded.settings); })) {
      Table none;
      TableReader defaults(none, 0, "server", {loaded.diagnostics, nullptr});
      read_server(defaults, directory, loaded.settings);
    }
    in.table("limits", [&loaded](TableReader& table) { read_limits(table, loaded.settings); });
    in.table("state", [&](TableReader& table) { read_state(table, directory, loaded.settings.state); });
    manifest->upstreams = read_upstreams(in, directory);
    manifest->modules = read_modules(in, directory);
    Names names{manifest->modules, {}, directory};
    for (const UpstreamEntry& upstream : manifest->upstreams) names.upstreams.push_back(upstream.options.name);
    std::vector<GroupEntry> groups = read_groups(in, names);
    manifest->routes = read_routes(in, names, groups);
    add_default_route(names, manifest->routes);
    if (manifest->routes.empty() && loaded.diagnostics.empty())
      in.mistake("there is no [[route]], so nothing would be served; write one with a path and an upstream");
  }
  if (!manifest->modules.empty()) loaded.settings.enable_wasm = true;
  check_conflicts(manifest->routes, loaded.diagnostics);
  if (loaded.diagnostics.empty()) loaded.manifest = std::move(manifest);
  return loaded;
}

Result<std::shared_ptr<const Manifest>> manifest_of_workers(const std::vector<std::string>& urls) {
  Result<std::vector<gateway::ServerOptions>> parsed = gateway::parse_worker_urls(urls);
  if (!parsed) return fail(std::move(parsed.error()));
  auto manifest = std::make_shared<Manifest>();
  gateway::UpstreamOptions options;
  options.name = "workers";
  options.servers = *std::move(parsed);
  Names names{manifest->modules, {options.name}};
  manifest->upstreams.push_back({std::move(options), 0});
  add_default_route(names, manifest->routes);
  return manifest;
}

Result<Loaded> load_manifest(const std::string& path) {
  Result<std::string> text = platform::read_file(path, kFileBytesMax);
  if (!text) return fail(text.error().kind, fmt::format("{}: {}", path, text.error().detail), text.error().cause);
  std::filesystem::path directory = std::filesystem::absolute(path).parent_path();
  return parse_manifest(*text, directory.string());
}

}  // namespace sandgate::config
