// SPDX-License-Identifier: Apache-2.0
//
// `sandgate config`, `sandgate upstreams` and `sandgate log-level`: the operator's commands for a running gateway.
#pragma once

#include <string>

#include "cli/admin_client.h"

namespace sandgate::cli {

struct ControlOptions {
  AdminClient::Options server;
  bool json = false;  // print what the API answered

  std::string upstream;
  std::string authority;  // of a server of the upstream
  unsigned weight = 1;
  std::string level;  // empty: show it
};

// Each returns the exit code.
int show_config(const ControlOptions& options);
int reload_config(const ControlOptions& options);
int list_upstreams(const ControlOptions& options);
int drain_server(const ControlOptions& options);
int undrain_server(const ControlOptions& options);
int weigh_server(const ControlOptions& options);
int log_level(const ControlOptions& options);

}  // namespace sandgate::cli
