// SPDX-License-Identifier: Apache-2.0
//
// A configuration file as the server is built from it: every name resolved, every value checked, nothing opened yet.
// Plain values, compared to find what a reload changes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/loop.h"
#include "base/result.h"
#include "config/diagnostics.h"
#include "config/settings.h"
#include "config/table_reader.h"
#include "gateway/fixed_response.h"
#include "gateway/static_files.h"
#include "gateway/upstream_options.h"
#include "gateway/upstream_path.h"
#include "modules/module_options.h"
#include "routing/route_rule.h"

namespace sandgate::config {

// A module of the file.
struct ModuleEntry {
  std::string name;
  std::string path;                          // absolute
  std::vector<modules::AttachPoint> attach;  // empty: wherever it has an export
  modules::ModuleOptions options;
  unsigned line = 0;
};

// A module in the middleware of a route.
struct ModuleUse {
  std::string module;
  modules::ModuleOptions options;  // the module's, with what the use says instead
  unsigned line = 0;
};

struct ToUpstream {
  std::string upstream;
  gateway::UpstreamPath path = gateway::UpstreamPath::kWhole;

  bool operator==(const ToUpstream&) const = default;
};

struct RouteEntry {
  std::string name;
  routing::RouteRule rule;
  std::vector<ModuleUse> middleware;
  std::variant<ToUpstream, gateway::FixedResponseOptions, gateway::StaticFilesOptions> target;
  bool deployed_modules = true;  // whether modules of the API run, too
  unsigned line = 0;
};

struct UpstreamEntry {
  gateway::UpstreamOptions options;
  unsigned line = 0;
};

struct Manifest {
  std::vector<UpstreamEntry> upstreams;
  std::vector<ModuleEntry> modules;
  std::vector<RouteEntry> routes;
};

// What a file says, or what is wrong with it.
struct Loaded {
  Settings settings;
  std::shared_ptr<const Manifest> manifest;  // null when there are diagnostics
  Diagnostics diagnostics;
};

// What a server runs with, or what is wrong: flags over a file.
struct Effective {
  Settings settings;
  std::shared_ptr<const Manifest> manifest;
  std::vector<std::string> mistakes;  // "FILE:LINE: message"
};

// Reads the text of a file. `directory` is where relative paths begin: the file's own. Blocking: files of secrets are
// read. `catalogue`, when not null, gets every key there is.
Loaded parse_manifest(std::string_view text, const std::string& directory, Catalogue* catalogue = nullptr);

// What the flags of a server without a file mean: everything goes to the workers, through the modules of the API.
// kInvalid and kUnsupported, as gateway::parse_worker_urls.
Result<std::shared_ptr<const Manifest>> manifest_of_workers(const std::vector<std::string>& urls);

// The same from a file. Errors: what platform::read_file says of the file itself.
Result<Loaded> load_manifest(const std::string& path);

}  // namespace sandgate::config
