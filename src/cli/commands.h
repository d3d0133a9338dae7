// SPDX-License-Identifier: Apache-2.0
//
// The commands of `sandgate`, one file each. Every function takes what the command line said and returns the exit code.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/manifest.h"

namespace sandgate::cli {

// Exit codes, documented in README.md.
inline constexpr int kExitOk = 0;        // ended as asked: drained after SIGTERM, stopped by SIGINT
inline constexpr int kExitFailed = 1;    // could not start, or a check failed
inline constexpr int kExitUsage = 2;     // the command line is wrong
inline constexpr int kExitCutShort = 3;  // the drain's time was over and connections were cut

class ServeLine;
// `sandgate serve`: runs a gateway until a signal ends it. SIGHUP loads `line` again.
int serve(const config::Effective& effective, const ServeLine& line);

struct DemoOptions {
  std::uint16_t port = 3000;  // when it is taken, a free one is used
  bool check = false;         // run the lines, print what they show, exit
};
// `sandgate demo`: a worker, a gateway before it and the auth example, and curl lines to try.
int demo(const DemoOptions& options);

struct CheckOptions {
  std::string file;
  bool json = false;
};
// `sandgate check`: of a module, what it is, what it imports and what that needs, where it can be attached; of a
// configuration file, every mistake. kExitFailed when the module cannot be deployed, or the file not be served.
int check(const CheckOptions& options);

struct ExplainOptions {
  std::string file;
  std::string method;
  std::string url;                  // absolute, or a path
  std::vector<std::string> fields;  // "Name: value"
};
// `sandgate explain`: which route a request takes and why, which modules run on the way, with which powers and budgets.
int explain(const ExplainOptions& options);

}  // namespace sandgate::cli
