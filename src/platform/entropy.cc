// SPDX-License-Identifier: Apache-2.0
#include "platform/entropy.h"

#include <sys/random.h>

#include <array>
#include <bit>
#include <cerrno>

#include "base/check.h"

namespace sandgate::platform {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

void write_hex(std::uint64_t value, char* to) {
  for (int i = 0; i < 16; ++i) to[i] = kHexDigits[(value >> (60 - 4 * i)) & 15];
}

std::uint64_t random_word() {
  std::uint64_t word = 0;
  fill_random(std::as_writable_bytes(std::span(&word, 1)));
  return word;
}

}  // namespace

void fill_random(std::span<std::byte> to) {
  while (!to.empty()) {
    ssize_t got = ::getrandom(to.data(), to.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    SANDGATE_CHECK(got > 0);
    to = to.subspan(static_cast<std::size_t>(got));
  }
}

std::string make_uuid() {
  std::array<std::byte, 16> bytes{};
  fill_random(bytes);
  bytes[6] = (bytes[6] & std::byte{0x0f}) | std::byte{0x40};
  bytes[8] = (bytes[8] & std::byte{0x3f}) | std::byte{0x80};
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    auto byte = std::to_integer<unsigned>(bytes[i]);
    text += kHexDigits[byte >> 4];
    text += kHexDigits[byte & 15];
  }
  return text;
}

RequestIds::RequestIds() : prefix_(random_word()), key_(random_word() | 1) {}

void RequestIds::next(char* to) {
  // Multiplication by an odd key and rotation are bijections of 64 bits: no two counters give the same id.
  std::uint64_t scrambled = std::rotl(++counter_ * key_, 29) * 0x9e3779b97f4a7c15U;
  write_hex(prefix_, to);
  write_hex(scrambled, to + 16);
}

}  // namespace sandgate::platform
