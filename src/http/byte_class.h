// SPDX-License-Identifier: Apache-2.0
//
// Classes of bytes in HTTP and URIs, as one table, and the scan that every line of a message goes through.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace sandgate::http {

enum ByteClass : std::uint8_t {
  kTokenByte = 1,       // tchar, RFC 9110 section 5.6.2
  kTargetByte = 2,      // 0x21-0x7e without '#': what a request target may contain
  kUnreservedByte = 4,  // RFC 3986 section 2.3
  kControlByte = 8,     // 0x00-0x1f but HTAB, and DEL: never in a field value
  kHexByte = 16,
};

namespace byte_class_internal {

consteval std::array<std::uint8_t, 256> make_table() {
  std::array<std::uint8_t, 256> table{};
  auto mark = [&table](std::string_view bytes, int classes) {
    for (char c : bytes) {
      auto& entry = table[static_cast<unsigned char>(c)];
      entry = static_cast<std::uint8_t>(entry | classes);
    }
  };
  mark("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", kTokenByte | kUnreservedByte);
  mark("!#$%&'*+-.^_`|~", kTokenByte);
  mark("-._~", kUnreservedByte);
  mark("0123456789abcdefABCDEF", kHexByte);
  for (std::size_t byte = 0x21; byte <= 0x7e; ++byte) table[byte] |= kTargetByte;
  table['#'] &= static_cast<std::uint8_t>(~kTargetByte);
  for (std::size_t byte = 0; byte < 0x20; ++byte) table[byte] |= kControlByte;
  table['\t'] &= static_cast<std::uint8_t>(~kControlByte);
  table[0x7f] |= kControlByte;
  return table;
}

inline constexpr std::array<std::uint8_t, 256> kTable = make_table();

}  // namespace byte_class_internal

constexpr bool is_byte(char c, ByteClass byte_class) {
  return (byte_class_internal::kTable[static_cast<unsigned char>(c)] & byte_class) != 0;
}

// Value of a hex digit; `c` is a kHexByte.
constexpr unsigned hex_value(char c) {
  auto byte = static_cast<unsigned>(static_cast<unsigned char>(c));
  return byte <= '9' ? byte - '0' : (byte | 0x20U) - 'a' + 10;
}

// The first byte of [at, end) that is a kControlByte (CR and LF are), else `end`. Reads nothing outside the range.
inline const char* find_control(const char* at, const char* end) {
#if defined(__SSE2__)
  const __m128i highest_control = _mm_set1_epi8(0x1f);
  const __m128i del = _mm_set1_epi8(0x7f);
  while (end - at >= 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, highest_control), bytes);
    auto found = static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(low, _mm_cmpeq_epi8(bytes, del))));
    // HTAB, which is rare, is sorted out here and not by another vector compare.
    for (; found != 0; found &= found - 1) {
      const char* hit = at + __builtin_ctz(found);
      if (*hit != '\t') return hit;
    }
    at += 16;
  }
#endif
  while (at != end && !is_byte(*at, kControlByte)) ++at;
  return at;
}

// The first byte of [at, end) that is not a kTokenByte, else `end`. Quick for names of letters, digits and hyphens.
inline const char* find_non_token(const char* at, const char* end) {
#if defined(__SSE2__)
  if (end - at >= 16) {
    // x is in [low, low + span] when the unsigned x - low is at most span.
    auto in_range = [](__m128i bytes, char low, char span) {
      const __m128i offset = _mm_sub_epi8(bytes, _mm_set1_epi8(low));
      return _mm_cmpeq_epi8(_mm_min_epu8(offset, _mm_set1_epi8(span)), offset);
    };
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i letters = in_range(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), 'a', 25);
    const __m128i digits = in_range(bytes, '0', 9);
    const __m128i hyphens = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('-'));
    const auto ordinary =
        static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(letters, digits), hyphens)));
    at += __builtin_ctz(~ordinary);  // at most 16: the upper half of the mask is zero
  }
#endif
  while (at != end && is_byte(*at, kTokenByte)) ++at;
  return at;
}

}  // namespace sandgate::http
