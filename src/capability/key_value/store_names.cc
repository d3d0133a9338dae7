// SPDX-License-Identifier: Apache-2.0
#include "capability/key_value/store_names.h"

#include <algorithm>

namespace sandgate::capability {

std::optional<std::uint64_t> StoreNames::number(std::string_view name) {
  std::lock_guard lock(mutex_);
  auto found = std::ranges::find(names_, name);
  if (found != names_.end()) return static_cast<std::uint64_t>(found - names_.begin());
  if (names_.size() >= names_max_) return std::nullopt;
  names_.emplace_back(name);
  return names_.size() - 1;
}

std::optional<std::string> StoreNames::name(std::uint64_t number) const {
  std::lock_guard lock(mutex_);
  if (number >= names_.size()) return std::nullopt;
  return names_[number];
}

}  // namespace sandgate::capability
