// SPDX-License-Identifier: Apache-2.0
//
// ASCII text without locales. HTTP's case-insensitivity is ASCII's (RFC 9110 section 5.1).
#pragma once

#include <cstddef>
#include <string_view>

namespace sandgate {

constexpr char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }
constexpr bool ascii_digit(char c) { return c >= '0' && c <= '9'; }

constexpr bool equals_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (ascii_lower(a[i]) != ascii_lower(b[i])) return false;
  }
  return true;
}

// Without leading and trailing spaces and tabs (OWS, RFC 9110 section 5.6.3).
constexpr std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Calls `visit(element)` for each element of a comma-separated list, trimmed; empty elements are skipped (RFC 9110
// section 5.6.1).
template <typename Visit>
constexpr void for_each_list_element(std::string_view list, Visit&& visit) {
  while (!list.empty()) {
    std::size_t comma = list.find(',');
    std::string_view element = trimmed(list.substr(0, comma));
    if (!element.empty()) visit(element);
    if (comma == std::string_view::npos) return;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace sandgate
