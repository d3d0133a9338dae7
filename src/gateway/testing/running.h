// SPDX-License-Identifier: Apache-2.0
//
// An exchange that a test starts and looks at while it runs.
#pragma once

#include <optional>

#include "exchange/handler.h"

namespace sandgate::gateway::testing {

// Must outlive what it started.
struct Running {
  std::optional<Status> status;
  bool ended() const { return status.has_value(); }
};

inline Detached start_serving(const Handler& handler, Exchange& exchange, Running& running) {
  Status status = co_await handler.serve(exchange);
  running.status = std::move(status);
}

}  // namespace sandgate::gateway::testing
