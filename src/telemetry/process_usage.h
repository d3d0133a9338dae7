// SPDX-License-Identifier: Apache-2.0
//
// What the process uses, as the system counts it. Reads /proc; some microseconds.
#pragma once

#include <cstdint>

namespace sandgate::telemetry {

// Zero where the system does not say.
struct ProcessUsage {
  std::uint64_t resident_bytes = 0;
  std::uint64_t cpu_ns = 0;  // user and system
  std::uint64_t open_files = 0;
  std::uint64_t open_files_max = 0;
};

ProcessUsage read_process_usage();

}  // namespace sandgate::telemetry
