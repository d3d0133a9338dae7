// SPDX-License-Identifier: Apache-2.0
//
// One configuration at work: upstreams, modules, routes and the handlers between them, built from a manifest aside
// while another one serves. Immutable; lives until the last exchange that began on it has ended. What did not change is
// taken over from the site before: upstreams with their connections, modules with their code.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/manifest.h"
#include "exchange/handler.h"
#include "gateway/chain.h"
#include "gateway/middleware.h"
#include "gateway/proxy.h"
#include "gateway/router.h"
#include "gateway/upstream.h"
#include "modules/module_store.h"
#include "net/resolver.h"
#include "sandbox/compiler.h"
#include "telemetry/route_metrics.h"

namespace sandgate::server {

// What every site stands on; outlives them all.
struct SiteGround {
  std::vector<Loop*> loops;
  net::Resolver* resolver = nullptr;  // for upstreams whose servers have names
  const modules::ModuleStore* store = nullptr;
  // Null when modules are off.
  sandbox::Compiler* compiler = nullptr;
  const gateway::MiddlewareCalls* calls = nullptr;
  gateway::MiddlewareSettings middleware;
  telemetry::RouteMetrics* routes = nullptr;  // outlives the exchanges, too
};

class Site final : public Handler {
 public:
  // Blocking: names are looked up, modules read and compiled. Null when something is wrong: `out` has it, with the line
  // of the manifest. `previous` may be null.
  static std::shared_ptr<const Site> build(const SiteGround& ground, std::shared_ptr<const config::Manifest> manifest,
                                           const Site* previous, config::Diagnostics& out);

  Task<Status> serve(Exchange& exchange) const override { return router_->serve(exchange); }

  const config::Manifest& manifest() const { return *manifest_; }
  const std::vector<std::shared_ptr<gateway::Upstream>>& upstreams() const { return upstreams_; }
  // Of the file, in its order.
  const std::vector<std::shared_ptr<const modules::DeployedModule>>& modules() const { return modules_; }
  // Another site serves now: what only this one has is kept no longer than its exchanges.
  void retire() const;

 private:
  Site() = default;

  bool build_upstreams(const SiteGround& ground, const Site* previous, config::Diagnostics& out);
  bool build_modules(const SiteGround& ground, const Site* previous, config::Diagnostics& out);
  bool build_routes(const SiteGround& ground, config::Diagnostics& out);
  const Handler* build_target(const config::RouteEntry& route, config::Diagnostics& out);
  const Handler* around(const config::RouteEntry& route, const SiteGround& ground, const Handler& target,
                        config::Diagnostics& out);
  std::shared_ptr<const modules::DeployedModule> use_of(const config::ModuleUse& use, const SiteGround& ground,
                                                        config::Diagnostics& out);
  template <typename T>
  const T& own(std::unique_ptr<T> handler);

  std::shared_ptr<const config::Manifest> manifest_;
  std::vector<std::shared_ptr<gateway::Upstream>> upstreams_;  // as in the manifest
  std::vector<std::shared_ptr<const modules::DeployedModule>> modules_;
  std::vector<std::shared_ptr<const modules::DeployedModule>> uses_;  // with options of their own
  std::vector<std::unique_ptr<const gateway::Proxy>> proxies_;        // one for each upstream
  std::vector<std::unique_ptr<const gateway::Middleware>> middleware_;
  std::vector<std::unique_ptr<const Handler>> handlers_;
  std::unique_ptr<const gateway::Router> router_;
};

}  // namespace sandgate::server
