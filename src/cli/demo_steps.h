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
  std::string shows;       // what the line is for
  std::string command;     // for a shell; UUID stands for the module's id, which the deployment told
  int status = 200;        // what the gateway answers to the command, a curl; 0: not looked at
  std::string contains{};  // something the output has
  bool deploys = false;
  bool keeps_uuid = false;  // the UUID of later lines is the one it tells
};

// In the order that tells the story. `folder` has the modules' files.
std::vector<DemoStep> demo_steps(std::string_view url, std::string_view folder);

// Runs the deployments alone and prints them. The UUID that lines speak of, or nothing when one failed.
std::optional<std::string> deploy_demo(std::string_view url, std::string_view folder);
// The command with the UUID in its place.
std::string with_uuid(std::string command, std::string_view uuid);

// Runs every line with the curl of this machine and prints what it shows. Returns the exit code.
int check_demo(std::string_view url, std::string_view folder);

}  // namespace sandgate::cli
