// SPDX-License-Identifier: Apache-2.0
//
// The operator's hand on a running server: reloads, and upstreams of the configuration that serves. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "admin/control.h"
#include "config/manifest.h"
#include "config/settings.h"

namespace sandgate::server {

class Assembly;

// Reads flags and file again.
using LoadConfiguration = std::function<config::Effective()>;

class ServerControl final : public admin::Control {
 public:
  // `assembly` outlives this. `settings` is what the process runs with; `load` is empty when there is no file.
  ServerControl(Assembly& assembly, config::Settings settings, LoadConfiguration load)
      : assembly_(assembly), running_(std::move(settings)), load_(std::move(load)) {}

  std::string config_json() const override;
  admin::ReloadReport reload() override;
  std::vector<admin::UpstreamReport> upstreams() const override;
  Status change_server(std::string_view upstream, std::string_view authority, std::optional<bool> draining,
                       std::optional<unsigned> weight) override;

 private:
  admin::ReloadReport load_and_serve();

  Assembly& assembly_;
  const config::Settings running_;
  const LoadConfiguration load_;
  mutable std::mutex mutex_;  // one reload at a time
  std::uint64_t generation_ = 1;
};

}  // namespace sandgate::server
