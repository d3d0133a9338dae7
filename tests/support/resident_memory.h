// SPDX-License-Identifier: Apache-2.0
//
// The memory that this process has in use, server and test together.
#pragma once

#include <fstream>
#include <string>

namespace sandgate::test {

// 0 when the system does not say.
inline long resident_kib() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.starts_with("VmRSS:")) return std::stol(line.substr(6));
  }
  return 0;
}

}  // namespace sandgate::test
