// SPDX-License-Identifier: Apache-2.0
//
// Bytes that end where readable memory ends, so that a parser that reads one byte too many crashes. For tests and fuzz
// targets.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstring>
#include <string_view>

#include "base/check.h"

namespace sandgate::http::testing {

class GuardedInput {
 public:
  explicit GuardedInput(std::size_t bytes_max) : room_((bytes_max / kPageBytes + 1) * kPageBytes) {
    void* mapped = mmap(nullptr, room_ + kPageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    SANDGATE_CHECK(mapped != MAP_FAILED);
    start_ = static_cast<char*>(mapped);
    SANDGATE_CHECK(mprotect(start_ + room_, kPageBytes, PROT_NONE) == 0);
  }
  GuardedInput(const GuardedInput&) = delete;
  GuardedInput& operator=(const GuardedInput&) = delete;
  ~GuardedInput() { munmap(start_, room_ + kPageBytes); }

  // `text`, moved against the unreadable page; valid until the next call.
  std::string_view place(std::string_view text) {
    SANDGATE_CHECK(text.size() <= room_);
    char* to = start_ + room_ - text.size();
    if (!text.empty()) std::memmove(to, text.data(), text.size());
    placed_ = text.size();
    return {to, text.size()};
  }
  // Overwrites what place() returned: views kept into it show.
  void spoil() { std::memset(start_ + room_ - placed_, '!', placed_); }

 private:
  static constexpr std::size_t kPageBytes = 4096;

  std::size_t room_;
  std::size_t placed_ = 0;
  char* start_ = nullptr;
};

}  // namespace sandgate::http::testing
