// SPDX-License-Identifier: Apache-2.0
//
// Runs a program with an input and collects its output, within a time and a size. It inherits nothing but stdin, stdout
// and stderr (pipes) and the environment given here. When this returns, the process is gone. Blocking; for threads that
// have SIGPIPE blocked (thread.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/loop.h"
#include "base/result.h"
#include "platform/descriptor.h"

namespace sandgate::sandbox {

struct ChildCommand {
  std::string program;
  std::vector<std::string> arguments;    // without the program's name
  std::vector<std::string> environment;  // all of it
  Milliseconds time{0};
  std::uint64_t output_bytes_max = 0;
};

struct ChildEnd {
  enum class How : unsigned char { kExited, kSignalled, kOutOfTime, kTooMuchOutput, kStopped };
  How how = How::kExited;
  int code = 0;             // exit code or signal
  std::string output;       // stdout
  std::string diagnostics;  // the first bytes of stderr
};

// `stop` ends the process early when it becomes readable (an eventfd). Errors: kInternal, when it could not be started.
Result<ChildEnd> run_child(const ChildCommand& command, std::string_view input, const platform::Descriptor& stop);

}  // namespace sandgate::sandbox
