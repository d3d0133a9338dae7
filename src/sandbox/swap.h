// SPDX-License-Identifier: Apache-2.0
//
// Whether pages of this process can ever be swapped out. The engine's fast way to clean a guest's memory (PAGEMAP_SCAN)
// overlooks dirty pages that are in swap, so the next guest could read them: it is used only where there is no swap.
// Decided once, at start.
#pragma once

#include <string>

namespace sandgate::sandbox {

struct SwapFiles {
  std::string swaps = "/proc/swaps";
  std::string cgroup = "/proc/self/cgroup";
  std::string cgroup_root = "/sys/fs/cgroup";
};

enum class Swap : unsigned char {
  kNone,       // no swap area is in use
  kForbidden,  // a control group of ours (v2) has memory.swap.max = 0
  kPossible,   // or it cannot be told
};

Swap find_swap(const SwapFiles& files = {});

}  // namespace sandgate::sandbox
