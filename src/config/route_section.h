// SPDX-License-Identifier: Apache-2.0
//
// [[route]] and [[group]]: which requests, through which modules, to what.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/manifest.h"
#include "config/table_reader.h"

namespace sandgate::config {

// What routes may name. Everything outlives the reading.
struct Names {
  const std::vector<ModuleEntry>& modules;
  std::vector<std::string> upstreams;
  std::string directory = {};  // where relative paths begin
};

// What the routes of a group share. A route puts its own path after the group's, its middleware after the group's, and
// its conditions beside them; its host and upstream go instead.
struct GroupEntry {
  std::string name;
  std::string path;  // without a slash at the end; may be empty
  std::optional<routing::HostPattern> host;
  std::vector<routing::FieldCondition> fields;
  std::vector<ModuleUse> middleware;
  std::optional<std::string> upstream;
  std::optional<bool> deployed_modules;
};

GroupEntry read_group(TableReader& in, const Names& names);

// Nothing when the route is not usable; then there is a diagnostic.
std::optional<RouteEntry> read_route(TableReader& in, const Names& names, const std::vector<GroupEntry>& groups);

}  // namespace sandgate::config
