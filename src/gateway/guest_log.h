// SPDX-License-Identifier: Apache-2.0
//
// What guests write to stdout and stderr, as lines of the operational log that name the module and the request. Bounded
// per call, so that a module cannot fill the log.
#pragma once

#include <cstddef>
#include <string_view>

#include "sandbox/engine.h"

namespace sandgate::gateway {

// The call a line belongs to: the `log_user` of its instance. Lives as long as the instance.
struct GuestCall {
  std::string_view module;
  std::string_view request_id;
  std::size_t lines = 0;
};

// Give it to sandbox::Engine::create. `user` of each line is a GuestCall, or null.
class GuestLogLines final : public sandbox::GuestLog {
 public:
  static constexpr std::size_t kLinesMax = 32;  // of one call; a debugging session's worth
  static constexpr std::size_t kLineBytesMax = 1024;

  void line(void* user, bool is_stderr, std::string_view text) noexcept override;
};

}  // namespace sandgate::gateway
