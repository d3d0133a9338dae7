// SPDX-License-Identifier: Apache-2.0
//
// CHECK is for bugs of ours: it prints the condition and ends the process. Nothing that a client, an upstream, a guest
// or a configuration file can cause is ever a CHECK.
#pragma once

namespace sandgate {

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace sandgate

#define SANDGATE_CHECK(condition)                                    \
  do {                                                               \
    if (!(condition)) [[unlikely]]                                   \
      ::sandgate::check_failed(#condition, __FILE_NAME__, __LINE__); \
  } while (false)
