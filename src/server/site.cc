// SPDX-License-Identifier: Apache-2.0
#include "server/site.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <variant>

#include "gateway/fixed_response.h"
#include "gateway/static_files.h"
#include "gateway/upstream_path.h"
#include "modules/file_module.h"
#include "modules/parallel.h"
#include "routing/route_table.h"

namespace sandgate::server {
namespace {

using config::Diagnostics;
using modules::DeployedModule;

const DeployedModule* find_module(const Site* site, std::string_view name) {
  if (site == nullptr) return nullptr;
  auto found =
      std::ranges::find(site->modules(), name, [](const auto& module) { return std::string_view(module->name); });
  return found == site->modules().end() ? nullptr : found->get();
}

}  // namespace

std::shared_ptr<const Site> Site::build(const SiteGround& ground, std::shared_ptr<const config::Manifest> manifest,
                                        const Site* previous, Diagnostics& out) {
  std::shared_ptr<Site> site(new Site());
  site->manifest_ = std::move(manifest);
  bool upstreams = site->build_upstreams(ground, previous, out);
  bool modules = site->build_modules(ground, previous, out);
  if (!upstreams || !modules || !site->build_routes(ground, out)) return nullptr;
  return site;
}

bool Site::build_upstreams(const SiteGround& ground, const Site* previous, Diagnostics& out) {
  for (std::size_t i = 0; i < manifest_->upstreams.size(); ++i) {
    const gateway::UpstreamOptions& options = manifest_->upstreams[i].options;
    if (previous != nullptr) {
      const auto& before = previous->manifest_->upstreams;
      auto same = std::ranges::find(before, options, &config::UpstreamEntry::options);
      if (same != before.end()) {
        upstreams_.push_back(previous->upstreams_[static_cast<std::size_t>(same - before.begin())]);
        continue;
      }
    }
    Result<std::shared_ptr<gateway::Upstream>> upstream =
        gateway::Upstream::create(options, {.loops = ground.loops, .resolver = ground.resolver});
    if (!upstream) {
      out.add(manifest_->upstreams[i].line, fmt::format("upstream {}: {}", options.name, upstream.error().detail));
      continue;
    }
    upstreams_.push_back(std::move(*upstream));
  }
  return upstreams_.size() == manifest_->upstreams.size();
}

bool Site::build_modules(const SiteGround& ground, const Site* previous, Diagnostics& out) {
  const std::vector<config::ModuleEntry>& entries = manifest_->modules;
  if (entries.empty()) return true;
  if (ground.compiler == nullptr) {
    out.add(entries.front().line, "modules are off in this process; they need a restart with them in the file");
    return false;
  }
  modules_.resize(entries.size());
  std::vector<std::string> failures(entries.size());
  modules::run_parallel(entries.size(), [&](std::size_t i) {
    const config::ModuleEntry& entry = entries[i];
    auto loaded = modules::load_file_module({entry.name, entry.path, entry.attach, entry.options},
                                            find_module(previous, entry.name), *ground.compiler);
    if (loaded) {
      modules_[i] = std::move(*loaded);
    } else {
      failures[i] = loaded.error().detail;
    }
  });
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (modules_[i] == nullptr) out.add(entries[i].line, fmt::format("module {}: {}", entries[i].name, failures[i]));
  }
  return std::ranges::none_of(modules_, [](const auto& module) { return module == nullptr; });
}

template <typename T>
const T& Site::own(std::unique_ptr<T> handler) {
  const T& reference = *handler;
  handlers_.push_back(std::move(handler));
  return reference;
}

// Null when the target cannot be.
const Handler* Site::build_target(const config::RouteEntry& route, Diagnostics& out) {
  if (const auto* response = std::get_if<gateway::FixedResponseOptions>(&route.target))
    return &own(std::make_unique<gateway::FixedResponse>(*response));
  if (const auto* options = std::get_if<gateway::StaticFilesOptions>(&route.target)) {
    Result<std::unique_ptr<gateway::StaticFiles>> files = gateway::StaticFiles::create(*options);
    if (files) return &own(std::move(*files));
    out.add(route.line, fmt::format("files: {}", files.error().detail));
    return nullptr;
  }
  const auto& to = std::get<config::ToUpstream>(route.target);
  auto found =
      std::ranges::find(manifest_->upstreams, to.upstream,
                        [](const config::UpstreamEntry& entry) -> const std::string& { return entry.options.name; });
  auto index = static_cast<std::size_t>(found - manifest_->upstreams.begin());
  proxies_.resize(manifest_->upstreams.size());
  if (proxies_[index] == nullptr) proxies_[index] = std::make_unique<gateway::Proxy>(upstreams_[index]);
  if (to.path == gateway::UpstreamPath::kWhole) return proxies_[index].get();
  return &own(std::make_unique<gateway::UpstreamPathHandler>(to.path, *proxies_[index]));
}

// Null when the use cannot be.
std::shared_ptr<const DeployedModule> Site::use_of(const config::ModuleUse& use, const SiteGround& ground,
                                                   Diagnostics& out) {
  auto entry = std::ranges::find(manifest_->modules, use.module, &config::ModuleEntry::name);
  const auto& module = modules_[static_cast<std::size_t>(entry - manifest_->modules.begin())];
  if (use.options == module->options) return module;
  for (const auto& made : uses_) {
    if (made->name == use.module && made->options == use.options) return made;
  }
  auto made = modules::load_file_module_use(*module, use.options, *ground.compiler);
  if (!made) {
    out.add(use.line, fmt::format("module {}: {}", use.module, made.error().detail));
    return nullptr;
  }
  uses_.push_back(*made);
  return *std::move(made);
}

// `target` with the modules of the route, and those of the API, around it.
const Handler* Site::around(const config::RouteEntry& route, const SiteGround& ground, const Handler& target,
                            Diagnostics& out) {
  using gateway::Chain;
  if (ground.calls == nullptr) return &target;
  Chain::Uses uses;
  for (const config::ModuleUse& use : route.middleware) {
    if (auto module = use_of(use, ground, out)) uses.push_back(std::move(module));
  }
  Chain::Deployed deployed = route.deployed_modules ? Chain::Deployed::kRun : Chain::Deployed::kLeftOut;
  if (uses.empty() && deployed == Chain::Deployed::kLeftOut) return &target;
  middleware_.push_back(std::make_unique<gateway::Middleware>(*ground.calls, *ground.store, ground.middleware, target));
  return &own(std::make_unique<Chain>(*ground.store, deployed, std::move(uses), *middleware_.back(), target,
                                      ground.loops.size()));
}

bool Site::build_routes(const SiteGround& ground, Diagnostics& out) {
  std::vector<routing::RouteRule> rules;
  std::vector<gateway::Router::Route> routes;
  for (const config::RouteEntry& route : manifest_->routes) {
    rules.push_back(route.rule);
    const Handler* target = build_target(route, out);
    if (target != nullptr) routes.push_back({route.name, around(route, ground, *target, out)});
  }
  if (!out.empty()) return false;
  // Names are taken for good: not by a configuration that does not serve.
  for (gateway::Router::Route& route : routes) route.counts = &ground.routes->of(route.name);
  router_ = std::make_unique<gateway::Router>(routing::RouteTable(std::move(rules)), std::move(routes));
  return true;
}

void Site::retire() const {
  for (const auto& use : uses_) use->removed.store(true);
}

}  // namespace sandgate::server
