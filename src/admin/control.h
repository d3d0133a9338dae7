// SPDX-License-Identifier: Apache-2.0
//
// What an operator may do to a running gateway, and what it tells them. The server implements it; the admin API speaks
// it. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sandgate::admin {

struct ReloadReport {
  std::vector<std::string> mistakes;  // "FILE:LINE: message"; empty: the new configuration serves
  std::string needs_restart;          // settings that differ and take effect with a restart only: "listen, threads"
  std::uint64_t generation = 0;       // of the configuration that serves now
};

struct ServerReport {
  std::string authority;
  unsigned weight = 1;
  bool draining = false;
  bool healthy = true;
  bool ejected = false;
  std::uint64_t active = 0;       // requests that are there now
  std::uint64_t connections = 0;  // open, kept ones included
  std::uint64_t requests = 0;
  std::uint64_t failures = 0;
  std::uint64_t retries = 0;
  std::uint64_t ejections = 0;
};

struct UpstreamReport {
  std::string name;
  std::uint64_t waiting = 0;  // requests that wait for a connection
  std::vector<ServerReport> servers;
};

class Control {
 public:
  virtual ~Control() = default;

  // The configuration that serves, as one JSON object.
  virtual std::string config_json() const = 0;
  // Loads the configuration file again. Blocking: not on a loop's thread. One at a time; another one waits.
  virtual ReloadReport reload() = 0;

  virtual std::vector<UpstreamReport> upstreams() const = 0;
  // Changes what is given. Holds until the upstream is changed by a reload. kNotFound: no such upstream or server;
  // kInvalid: a weight out of range.
  virtual Status change_server(std::string_view upstream, std::string_view authority, std::optional<bool> draining,
                               std::optional<unsigned> weight) = 0;
};

}  // namespace sandgate::admin
