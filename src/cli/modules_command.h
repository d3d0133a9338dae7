// SPDX-License-Identifier: Apache-2.0
//
// `sandgate modules`: deploys, lists, shows and removes modules of a running gateway.
#pragma once

#include <string>
#include <vector>

#include "cli/admin_client.h"

namespace sandgate::cli {

struct ModulesOptions {
  AdminClient::Options server;
  bool json = false;  // print what the API answered

  std::string name;
  std::string file;                    // deploy
  std::vector<std::string> attach;     // deploy: OnRequest, OnResponse, OnError
  std::string on_failure;              // deploy
  std::string instance;                // deploy
  bool no_body = false;                // deploy
  std::vector<std::string> key_value;  // deploy: stores it may open
  std::vector<std::string> config;     // deploy: NAME=VALUE
};

// Each returns the exit code.
int deploy_module(const ModulesOptions& options);
int list_modules(const ModulesOptions& options);
int show_module(const ModulesOptions& options);
int remove_module(const ModulesOptions& options);

}  // namespace sandgate::cli
