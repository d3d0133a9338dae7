// SPDX-License-Identifier: Apache-2.0
#include "config/route_section.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include "base/ascii.h"
#include "config/module_section.h"
#include "http/field.h"
#include "http/hop_by_hop.h"
#include "http/message.h"

namespace sandgate::config {
namespace {

using gateway::FixedResponseOptions;
using gateway::StaticFilesOptions;
using routing::FieldCondition;
using routing::HostPattern;
using routing::PathPattern;

// A chain that people can still follow; each module costs every request of the route a call.
constexpr std::size_t kMiddlewareMax = 32;
constexpr std::size_t kConditionsMax = 16;
// A page that says something, not a file.
constexpr std::size_t kBodyBytesMax = 64 * 1024;
// Each costs a request for a folder one look at the disk.
constexpr std::size_t kIndexMax = 8;
constexpr std::array<std::string_view, 3> kUpstreamPaths = {"whole", "rest", "raw"};
constexpr std::array<std::string_view, 9> kKnownMethods = {"GET",    "HEAD",    "POST",     "PUT",   "PATCH",
                                                           "DELETE", "OPTIONS", "PROPFIND", "REPORT"};

std::vector<std::string> names_of(const std::vector<ModuleEntry>& modules) {
  std::vector<std::string> names;
  for (const ModuleEntry& module : modules) names.push_back(module.name);
  return names;
}

void read_host(TableReader& in, std::optional<HostPattern>& host) {
  std::string text;
  if (!in.text("host", text)) return;
  Result<HostPattern> parsed = HostPattern::parse(text);
  if (!parsed) return in.mistake("host", fmt::format("\"{}\": {}", text, parsed.error().detail));
  host = std::move(*parsed);
}

void read_fields(TableReader& in, std::vector<FieldCondition>& fields) {
  const Value* value = in.any("fields", "table: field = \"value\", true (present) or false (absent)", "{}");
  if (value == nullptr) return;
  const Table* table = value->as<Table>();
  if (table == nullptr) {
    in.refuse("fields", *value, "a table, as { x-version = \"2\", x-debug = true }");
    return;
  }
  for (const auto& [name, wanted] : table->entries) {
    FieldCondition condition;
    condition.name = name;
    std::ranges::transform(condition.name, condition.name.begin(), &ascii_lower);
    const std::string* text = wanted.as<std::string>();
    const bool* present = wanted.as<bool>();
    if (!http::is_field_name(name) || (text == nullptr && present == nullptr) ||
        (text != nullptr && !http::is_field_value(*text))) {
      in.reading().diagnostics.add(
          wanted.line, fmt::format("fields.{}: write the name of a field and \"value\", true or false", name));
      continue;
    }
    if (text != nullptr) {
      condition.test = FieldCondition::Test::kEquals;
      condition.value = *text;
    } else {
      condition.test = *present ? FieldCondition::Test::kPresent : FieldCondition::Test::kAbsent;
    }
    fields.push_back(std::move(condition));
  }
  if (fields.size() > kConditionsMax) in.mistake("fields", fmt::format("more than {} conditions", kConditionsMax));
}

void read_methods(TableReader& in, std::vector<std::string>& methods) {
  std::vector<std::string> written;
  if (!in.texts("methods", written, "methods")) return;
  for (const std::string& method : written) {
    bool upper_case =
        std::ranges::all_of(method, [](char c) { return ascii_lower(c) == c ? c < 'a' || c > 'z' : true; });
    if (!http::is_token(method) || !upper_case || method == "CONNECT" || method == "TRACE") {
      in.mistake("methods", fmt::format("\"{}\" is no method that is served{}", method,
                                        suggestion(method, {kKnownMethods.begin(), kKnownMethods.end()})));
    } else if (std::ranges::find(methods, method) == methods.end()) {
      methods.push_back(method);
    }
  }
  if (written.empty()) in.mistake("methods", "an empty list serves nothing; leave the key out for all methods");
}

const ModuleEntry* find_module(const Names& names, std::string_view name) {
  auto found = std::ranges::find(names.modules, name, &ModuleEntry::name);
  return found == names.modules.end() ? nullptr : &*found;
}

void read_use(TableReader& in, const Value& element, const Names& names, std::vector<ModuleUse>& uses) {
  Diagnostics& diagnostics = in.reading().diagnostics;
  const Table* table = element.as<Table>();
  const std::string* name = element.as<std::string>();
  if (const Value* named = table == nullptr ? nullptr : table->find("module")) name = named->as<std::string>();
  if (name == nullptr) {
    diagnostics.add(element.line, "middleware: write the name of a module, or { module = \"NAME\", config = { ... } }");
    return;
  }
  const ModuleEntry* module = find_module(names, *name);
  if (module == nullptr) {
    diagnostics.add(element.line, fmt::format("middleware: there is no [[module]] \"{}\"{}", *name,
                                              suggestion(*name, names_of(names.modules))));
    return;
  }
  ModuleUse use{*name, module->options, element.line};
  if (table != nullptr) {
    TableReader options(*table, element.line, fmt::format("middleware \"{}\"", *name), {diagnostics, nullptr});
    std::string again;
    options.text("module", again);
    read_module_options(options, use.options);
  }
  uses.push_back(std::move(use));
}

void read_middleware(TableReader& in, const Names& names, std::vector<ModuleUse>& uses) {
  const Value* value = in.any("middleware", "list of modules: \"NAME\" or { module = \"NAME\", ... }", "[]");
  if (value == nullptr) return;
  const Array* array = value->as<Array>();
  if (array == nullptr) {
    in.refuse("middleware", *value, "a list, as [\"auth\", { module = \"ratelimit\", config = { limit = 60 } }]");
    return;
  }
  for (const Value& element : *array) read_use(in, element, names, uses);
  if (uses.size() > kMiddlewareMax) in.mistake("middleware", fmt::format("more than {} modules", kMiddlewareMax));
}

void read_upstream_name(TableReader& in, const Names& names, std::optional<std::string>& upstream) {
  std::string name;
  if (!in.text("upstream", name)) return;
  if (std::ranges::find(names.upstreams, name) == names.upstreams.end()) {
    in.mistake("upstream", fmt::format("there is no [[upstream]] \"{}\"{}", name, suggestion(name, names.upstreams)));
  }
  upstream = std::move(name);
}

void read_response_fields(TableReader& in, FixedResponseOptions& response) {
  const Value* value = in.any("fields", "table of fields", "{}");
  if (value == nullptr) return;
  const Table* table = value->as<Table>();
  if (table == nullptr) {
    in.refuse("fields", *value, "a table, as { location = \"https://example.com/\" }");
    return;
  }
  for (const auto& [name, content] : table->entries) {
    const std::string* text = content.as<std::string>();
    if (text == nullptr || !http::is_field_name(name) || !http::is_field_value(*text) ||
        http::is_gateways_own(http::field_id(name), name)) {
      in.reading().diagnostics.add(
          content.line, fmt::format("respond.fields.{}: write a field that is not about the connection or the length, "
                                    "and its value in quotes",
                                    name));
      continue;
    }
    response.fields.emplace_back(name, *text);
  }
}

void read_respond(TableReader& in, FixedResponseOptions& response) {
  in.count("status", response.status, {200, 599});
  in.text("body", response.body);
  if (response.body.size() > kBodyBytesMax) in.mistake("body", fmt::format("more than {} bytes", kBodyBytesMax));
  if (!response.body.empty() && http::status_forbids_body(response.status))
    in.mistake("body", fmt::format("a {} has no body", response.status));
  in.text("content_type", response.content_type);
  if (!http::is_field_value(response.content_type)) in.mistake("content_type", "no valid value of a field");
  read_response_fields(in, response);
}

// Relative to the folder of the configuration file.
void read_directory(TableReader& in, const std::string& directory, std::string& target) {
  std::string path;
  in.require("directory", "\"public\"");
  if (in.text("directory", path)) target = (std::filesystem::path(directory) / path).lexically_normal().string();
}

void read_files(TableReader& in, const std::string& directory, StaticFilesOptions& files) {
  read_directory(in, directory, files.directory);
  in.texts("index", files.index, "names of files");
  if (files.index.size() > kIndexMax) in.mistake("index", fmt::format("more than {} names", kIndexMax));
  for (const std::string& name : files.index) {
    if (name.find('/') != std::string::npos || name == "." || name == "..")
      in.mistake("index", fmt::format("\"{}\" is no name of a file in the folder", name));
  }
  in.text("cache_control", files.cache_control);
  if (!http::is_field_value(files.cache_control)) in.mistake("cache_control", "no valid value of a field");
  bool dot_files = false;
  in.boolean("dot_files", dot_files);
  if (dot_files) files.dot_files = StaticFilesOptions::DotFiles::kServed;
}

void read_deployed(TableReader& in, std::optional<bool>& deployed) {
  bool runs = true;
  if (in.boolean("deployed_modules", runs)) deployed = runs;
}

const GroupEntry* read_group_name(TableReader& in, const std::vector<GroupEntry>& groups) {
  std::string name;
  if (!in.text("group", name)) return nullptr;
  auto found = std::ranges::find(groups, name, &GroupEntry::name);
  if (found != groups.end()) return &*found;
  std::vector<std::string> known;
  for (const GroupEntry& group : groups) known.push_back(group.name);
  in.mistake("group", fmt::format("there is no [[group]] \"{}\"{}", name, suggestion(name, known)));
  return nullptr;
}

std::string default_name(const routing::RouteRule& rule) {
  std::string name;
  for (const std::string& method : rule.methods) name += name.empty() ? method : "," + method;
  if (!name.empty()) name += ' ';
  if (rule.host.kind() != HostPattern::Kind::kAny) name += rule.host.text();
  return name + rule.path.text();
}

// The one thing that a route does.
void read_target(TableReader& in, const Names& names, const GroupEntry& group, RouteEntry& route) {
  std::optional<std::string> upstream;
  read_upstream_name(in, names, upstream);
  ToUpstream to;
  bool has_path = in.one_of("upstream_path", to.path, kUpstreamPaths);
  FixedResponseOptions response;
  bool responds = in.table("respond", [&response](TableReader& table) { read_respond(table, response); });
  StaticFilesOptions files;
  bool serves_files = in.table("files", [&](TableReader& table) { read_files(table, names.directory, files); });
  if (responds + serves_files + upstream.has_value() > 1)
    return in.mistake("a route has one of \"upstream\", \"respond\" and \"files\"");
  if ((responds || serves_files) && has_path) in.mistake("upstream_path", "nothing goes to an upstream here");
  if (responds) {
    route.target = std::move(response);
    return;
  }
  if (serves_files) {
    route.target = std::move(files);
    return;
  }
  if (!upstream) upstream = group.upstream;
  if (!upstream && names.upstreams.size() == 1) upstream = names.upstreams.front();
  if (!upstream) {
    return in.mistake(
        names.upstreams.empty()
            ? "where should it go? Write respond = { status = 200, body = \"OK\" }, or an [[upstream]] and its name"
            : "where should it go? Write upstream = \"NAME\", or respond = { status = 200, body = \"OK\" }");
  }
  if (to.path == gateway::UpstreamPath::kRest && !route.rule.path.has_rest())
    in.mistake("upstream_path", "\"rest\" needs a path that ends in a rest, as /files/*rest");
  to.upstream = std::move(*upstream);
  route.target = std::move(to);
}

}  // namespace

GroupEntry read_group(TableReader& in, const Names& names) {
  GroupEntry group;
  in.require("name", "\"api\"");
  in.name("name", group.name);
  if (in.text("path", group.path)) {
    while (group.path.ends_with('/')) group.path.pop_back();
    Result<PathPattern> path = PathPattern::parse(group.path.empty() ? "/" : group.path);
    if (!path) in.mistake("path", path.error().detail);
    if (path && path->has_rest()) in.mistake("path", "a group's path goes on in its routes: it has no *rest");
  }
  read_host(in, group.host);
  read_fields(in, group.fields);
  read_middleware(in, names, group.middleware);
  read_upstream_name(in, names, group.upstream);
  read_deployed(in, group.deployed_modules);
  return group;
}

std::optional<RouteEntry> read_route(TableReader& in, const Names& names, const std::vector<GroupEntry>& groups) {
  static const GroupEntry kNoGroup;
  const GroupEntry* named = read_group_name(in, groups);
  const GroupEntry& group = named != nullptr ? *named : kNoGroup;

  std::string path_text;
  in.require("path", "\"/api/*rest\"");
  in.text("path", path_text);
  bool slash = path_text.starts_with('/') || path_text.empty();
  Result<PathPattern> path = PathPattern::parse(slash ? group.path + path_text : path_text);
  if (!path && !path_text.empty()) in.mistake("path", fmt::format("\"{}\": {}", path_text, path.error().detail));
  std::optional<HostPattern> host = group.host;
  read_host(in, host);
  std::vector<std::string> methods;
  read_methods(in, methods);
  std::vector<FieldCondition> fields = group.fields;
  read_fields(in, fields);

  RouteEntry route{.rule = {host.value_or(HostPattern()), path ? std::move(*path) : *PathPattern::parse("/"),
                            std::move(methods), std::move(fields)},
                   .line = in.line()};
  bool has_name = in.text("name", route.name);
  if (!has_name) route.name = default_name(route.rule);
  route.middleware = group.middleware;
  read_middleware(in, names, route.middleware);
  std::optional<bool> deployed = group.deployed_modules;
  read_deployed(in, deployed);
  route.deployed_modules = deployed.value_or(true);
  read_target(in, names, group, route);
  if (path_text.empty()) return std::nullopt;
  return route;
}

}  // namespace sandgate::config
