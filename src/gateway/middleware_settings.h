// SPDX-License-Identifier: Apache-2.0
//
// What holds for all modules of a server.
#pragma once

#include <cstdint>

namespace sandgate::gateway {

enum class OnFailure : unsigned char {
  kClosed,  // the exchange fails with 503
  kOpen,    // the module is skipped
};

struct MiddlewareSettings {
  static constexpr std::uint64_t kBodyBytesDefault = 10 * 1024 * 1024;

  std::uint64_t body_bytes_max = kBodyBytesDefault;  // of a request or response that a module gets to see
  OnFailure on_request_failure = OnFailure::kClosed;
  OnFailure on_response_failure = OnFailure::kOpen;
};

}  // namespace sandgate::gateway
