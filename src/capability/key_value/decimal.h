// SPDX-License-Identifier: Apache-2.0
//
// Numbers as stores keep them: what Redis takes for one, so that a value counts in each store or in none.
#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string_view>
#include <system_error>

namespace sandgate::capability {

// The number's only spelling: no sign but a minus, no leading zeros, no -0, no blanks. Nothing when it does not fit.
template <std::integral Number>
std::optional<Number> parse_decimal(std::string_view text) {
  Number number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  if (digits.starts_with('0') && text != "0") return std::nullopt;
  return number;
}

}  // namespace sandgate::capability
