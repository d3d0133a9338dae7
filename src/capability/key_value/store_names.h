// SPDX-License-Identifier: Apache-2.0
//
// The names of stores that guests opened, by number. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sandgate::capability {

class StoreNames {
 public:
  explicit StoreNames(std::size_t names_max) : names_max_(names_max) {}

  // The name's number, a new one when it is new; nothing when there are too many.
  std::optional<std::uint64_t> number(std::string_view name);
  // Nothing when no name has the number.
  std::optional<std::string> name(std::uint64_t number) const;

 private:
  const std::size_t names_max_;
  mutable std::mutex mutex_;
  std::vector<std::string> names_;
};

}  // namespace sandgate::capability
