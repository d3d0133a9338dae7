// SPDX-License-Identifier: Apache-2.0
#include "sandbox/swap.h"

#include <fstream>
#include <optional>
#include <string_view>

namespace sandgate::sandbox {
namespace {

// One line for each area, after a heading (proc(5)).
bool has_no_swap_area(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return false;
  while (std::getline(file, line)) {
    if (!line.empty()) return false;
  }
  return true;
}

// Our group in the unified hierarchy: the line "0::/path" (cgroups(7)).
std::optional<std::string> unified_group(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with("0::/")) return line.substr(3);
  }
  return std::nullopt;
}

bool forbids_swap(const std::string& group_folder) {
  std::ifstream file(group_folder + "/memory.swap.max");
  std::string limit;
  return file >> limit && limit == "0";
}

}  // namespace

Swap find_swap(const SwapFiles& files) {
  if (has_no_swap_area(files.swaps)) return Swap::kNone;
  std::optional<std::string> group = unified_group(files.cgroup);
  if (!group || group->find("..") != std::string::npos) return Swap::kPossible;
  // A limit of an outer group holds for the inner ones.
  while (true) {
    if (forbids_swap(files.cgroup_root + *group)) return Swap::kForbidden;
    std::size_t slash = group->rfind('/');
    if (slash == std::string::npos) return Swap::kPossible;
    group->resize(slash);
  }
}

}  // namespace sandgate::sandbox
