// SPDX-License-Identifier: Apache-2.0
//
// Random bytes of the operating system. Unpredictable: request ids, UUIDs and keys come from here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace sandgate::platform {

// Fills the span; ends the process when the system has no randomness (it always has after boot).
void fill_random(std::span<std::byte> to);
// Version 4 (RFC 9562), lower case, 36 characters.
std::string make_uuid();

// Makes request ids: 32 lower-case hex digits, unique across servers. A random prefix per source and a counter
// scrambled by a random key, so that an id costs no system call and tells nothing about traffic. One per loop; not
// thread-safe.
class RequestIds {
 public:
  static constexpr std::size_t kLength = 32;
  RequestIds();
  // Writes kLength characters.
  void next(char* to);

 private:
  std::uint64_t prefix_;
  std::uint64_t key_;
  std::uint64_t counter_ = 0;
};

}  // namespace sandgate::platform
