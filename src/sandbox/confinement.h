// SPDX-License-Identifier: Apache-2.0
//
// How the compiler process binds its own hands before it looks at a byte that somebody sent: resources first, then
// system calls. Nothing of this can be undone.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "base/result.h"

namespace sandgate::sandbox {

struct ConfinementLimits {
  std::uint64_t address_space_bytes = 0;
  std::uint64_t cpu_seconds = 0;
};

// Address space, CPU time, no core files, no file may grow, few descriptors, low priority, no new privileges, and it
// dies with the thread that started it. kInternal when the system refuses, or `parent` is gone already.
Status limit_resources(const ConfinementLimits& limits, pid_t parent);

// Leaves the system calls that computing, memory, threads and open descriptors need. Everything else fails with EPERM;
// what only an attacker would try (execve, socket, ptrace, another process's memory, a new process) kills the process.
// No file can be opened and no memory made executable. False when the system has no filters.
bool confine_system_calls();

}  // namespace sandgate::sandbox
