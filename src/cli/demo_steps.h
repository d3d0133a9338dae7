// SPDX-License-Identifier: Apache-2.0
//
// The curl lines of the demo: shown to people, and run by `sandgate demo --check`, so that what is shown is what works.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sandgate::cli {

struct DemoStep {
  std::string shows;     // what the line is for
  std::string command;   // for a shell; UUID stands for the module's id, which the deployment told
  int status = 200;      // what the gateway answers
  std::string contains;  // something the body has
  bool deploys = false;
};

// In the order that tells the story: before, deploy, with and without a key, list, remove, after.
std::vector<DemoStep> demo_steps(std::string_view url, std::string_view module_path);

// Runs the deployment alone and prints it. The module's UUID, or nothing when it failed.
std::optional<std::string> deploy_demo(std::string_view url, std::string_view module_path);
// The command with the UUID in its place.
std::string with_uuid(std::string command, std::string_view uuid);

// Runs every line with the curl of this machine and prints what it shows. Returns the exit code.
int check_demo(std::string_view url, std::string_view module_path);

}  // namespace sandgate::cli
