// SPDX-License-Identifier: Apache-2.0
//
// What holds for all modules of a server.
#pragma once

#include <cstdint>

namespace sandgate::gateway {

struct MiddlewareSettings {
  static constexpr std::uint64_t kBodyBytesDefault = 10 * 1024 * 1024;

  std::uint64_t body_bytes_max = kBodyBytesDefault;  // of a request or response that a module gets to see
};

}  // namespace sandgate::gateway
