// SPDX-License-Identifier: Apache-2.0
#include "server/control.h"

#include <fmt/core.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "config/manifest_json.h"
#include "platform/log.h"
#include "server/assembly.h"

namespace sandgate::server {

std::string ServerControl::config_json() const {
  std::shared_ptr<const Site> site = assembly_.site();
  boost::json::object config = config::manifest_json(site->manifest());
  config["file"] =
      running_.config_file.empty() ? boost::json::value(nullptr) : boost::json::value(running_.config_file);
  std::lock_guard lock(mutex_);
  config["generation"] = generation_;
  return boost::json::serialize(config);
}

admin::ReloadReport ServerControl::load_and_serve() {
  admin::ReloadReport report;
  if (!load_ || running_.config_file.empty()) {
    report.mistakes.emplace_back("there is no configuration file; flags are read once");
    return report;
  }
  config::Effective next = load_();
  report.mistakes = std::move(next.mistakes);
  config::Diagnostics wrong;
  if (report.mistakes.empty() && !assembly_.serve_manifest(next.manifest, wrong))
    report.mistakes = wrong.lines(running_.config_file);
  if (!report.mistakes.empty()) return report;
  log::set_level(next.settings.log_level);
  report.needs_restart = config::fixed_settings_that_differ(running_, next.settings);
  ++generation_;
  return report;
}

admin::ReloadReport ServerControl::reload() {
  std::lock_guard lock(mutex_);
  admin::ReloadReport report = load_and_serve();
  report.generation = generation_;
  for (const std::string& mistake : report.mistakes) log::error("reload: {}", mistake);
  if (!report.mistakes.empty()) {
    log::error("reload: nothing changed; the configuration before it still serves");
    return report;
  }
  if (!report.needs_restart.empty())
    log::warning("reload: {} of [server] and [limits] take effect with a restart only", report.needs_restart);
  log::info("reload: {} serves as generation {}; {}", running_.config_file, generation_, assembly_.description());
  return report;
}

std::vector<admin::UpstreamReport> ServerControl::upstreams() const {
  std::vector<admin::UpstreamReport> all;
  for (const std::shared_ptr<gateway::Upstream>& upstream : assembly_.site()->upstreams()) {
    admin::UpstreamReport report{upstream->options().name, upstream->waiting(), {}};
    for (const auto& server : upstream->servers()) {
      gateway::ServerView view = server->view();
      report.servers.push_back({.authority = std::move(view.authority),
                                .weight = view.weight,
                                .draining = view.draining,
                                .healthy = view.healthy,
                                .ejected = view.ejected,
                                .active = view.active,
                                .connections = view.connections,
                                .requests = view.requests,
                                .failures = view.failures,
                                .retries = view.retries,
                                .ejections = view.ejections});
    }
    all.push_back(std::move(report));
  }
  return all;
}

Status ServerControl::change_server(std::string_view upstream, std::string_view authority, std::optional<bool> draining,
                                    std::optional<unsigned> weight) {
  for (const std::shared_ptr<gateway::Upstream>& candidate : assembly_.site()->upstreams()) {
    if (candidate->options().name != upstream) continue;
    for (const auto& server : candidate->servers()) {
      if (server->authority() != authority) continue;
      if (weight) {
        if (Status set = server->set_weight(*weight); !set) return set;
      }
      if (draining) server->set_draining(*draining);
      return {};
    }
    return fail(ErrorKind::kNotFound, fmt::format("upstream {} has no server {}", upstream, authority));
  }
  return fail(ErrorKind::kNotFound, fmt::format("there is no upstream {}", upstream));
}

}  // namespace sandgate::server
