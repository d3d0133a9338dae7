// SPDX-License-Identifier: Apache-2.0
#include "abi/router_middleware/utf8.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace sandgate::abi::router_middleware {
namespace {

constexpr std::uint64_t kHighBits = 0x8080808080808080U;

const unsigned char* skip_ascii(const unsigned char* at, const unsigned char* end) {
  while (end - at >= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    if ((word & kHighBits) != 0) break;
    at += 8;
  }
  while (at != end && *at < 0x80) ++at;
  return at;
}

bool continues(unsigned char byte) { return (byte & 0xc0) == 0x80; }

// The end of the sequence that begins with the non-ASCII byte `at`; null when it is none (RFC 3629 section 4, table by
// table).
const unsigned char* skip_sequence(const unsigned char* at, const unsigned char* end) {
  unsigned char lead = at[0];
  auto left = static_cast<std::size_t>(end - at);
  if (lead >= 0xc2 && lead <= 0xdf) return left >= 2 && continues(at[1]) ? at + 2 : nullptr;
  if (lead >= 0xe0 && lead <= 0xef) {
    if (left < 3 || !continues(at[1]) || !continues(at[2])) return nullptr;
    if (lead == 0xe0 && at[1] < 0xa0) return nullptr;   // overlong
    if (lead == 0xed && at[1] >= 0xa0) return nullptr;  // surrogate
    return at + 3;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    if (left < 4 || !continues(at[1]) || !continues(at[2]) || !continues(at[3])) return nullptr;
    if (lead == 0xf0 && at[1] < 0x90) return nullptr;   // overlong
    if (lead == 0xf4 && at[1] >= 0x90) return nullptr;  // above U+10FFFF
    return at + 4;
  }
  return nullptr;
}

}  // namespace

bool is_utf8(std::string_view text) {
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  const auto* end = at + text.size();
  while ((at = skip_ascii(at, end)) != end) {
    at = skip_sequence(at, end);
    if (at == nullptr) return false;
  }
  return true;
}

std::string_view latin1_to_utf8(std::string_view text, Arena& arena) {
  auto* first = static_cast<char*>(arena.allocate(2 * text.size(), 1));
  char* to = first;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      *to++ = c;
    } else {
      *to++ = static_cast<char>(0xc0 | (byte >> 6));
      *to++ = static_cast<char>(0x80 | (byte & 0x3f));
    }
  }
  return {first, static_cast<std::size_t>(to - first)};
}

}  // namespace sandgate::abi::router_middleware
