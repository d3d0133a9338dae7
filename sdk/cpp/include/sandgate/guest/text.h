// SPDX-License-Identifier: Apache-2.0
//
// The few things about text that middleware needs. Pure functions; what they allocate lives in the memory of the call
// (see arena.h).
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <string_view>

#include <sandgate/guest/runtime.h>

namespace sandgate::guest {

constexpr char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }
constexpr char ascii_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c; }

// Field names compare like this (RFC 9110 section 5.1).
constexpr bool equal_ignoring_case(std::string_view left, std::string_view right) {
  if (left.size() != right.size()) return false;
  for (std::size_t i = 0; i != left.size(); ++i) {
    if (ascii_lower(left[i]) != ascii_lower(right[i])) return false;
  }
  return true;
}

// Compares a secret without telling by its duration how much of it was right. Only the length shows.
inline bool equal_constant_time(std::string_view left, std::string_view right) {
  if (left.size() != right.size()) return false;
  unsigned different = 0;
  for (std::size_t i = 0; i != left.size(); ++i) {
    different |= static_cast<unsigned>(static_cast<unsigned char>(left[i]) ^ static_cast<unsigned char>(right[i]));
    // Hides the value from the optimiser, which could leave the loop at the first difference.
    __asm__ volatile("" : "+r"(different));
  }
  return different == 0;
}

// An uninitialised buffer in the memory of the call.
inline char* allocate_text(std::size_t size) { return static_cast<char*>(memory().allocate(size, 1)); }

// `text` itself if it lives in the memory of the call, a copy there otherwise.
inline std::string_view keep(std::string_view text) {
  if (text.empty() || memory().owns(text.data(), text.size())) return text;
  char* copy = allocate_text(text.size());
  std::memcpy(copy, text.data(), text.size());
  return {copy, text.size()};
}

// The decimal digits of a number, in the memory of the call.
template <std::integral Number>
std::string_view decimal(Number number) {
  const bool negative = number < 0;
  std::uint64_t rest = static_cast<std::uint64_t>(number);
  if (negative) rest = 0 - rest;
  char digits[std::numeric_limits<std::uint64_t>::digits10 + 2];
  char* const end = digits + sizeof digits;
  char* at = end;
  do {
    *--at = static_cast<char>('0' + rest % 10);
    rest /= 10;
  } while (rest != 0);
  if (negative) *--at = '-';
  return keep({at, static_cast<std::size_t>(end - at)});
}

namespace detail {
inline std::string_view piece(std::string_view text) { return text; }
template <std::integral Number>
  requires(!std::same_as<Number, char> && !std::same_as<Number, bool>)
std::string_view piece(Number number) {
  return decimal(number);
}
}  // namespace detail

// Texts and numbers one after the other: concat("user:", id).
template <class... Piece>
std::string_view concat(const Piece&... piece) {
  const std::initializer_list<std::string_view> pieces = {detail::piece(piece)...};
  std::size_t size = 0;
  for (const std::string_view each : pieces) size += each.size();
  char* const text = allocate_text(size);
  char* at = text;
  for (const std::string_view each : pieces) {
    if (!each.empty()) std::memcpy(at, each.data(), each.size());
    at += each.size();
  }
  return {text, size};
}

}  // namespace sandgate::guest
