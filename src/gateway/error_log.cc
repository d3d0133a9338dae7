// SPDX-License-Identifier: Apache-2.0
#include "gateway/error_log.h"

#include <fmt/core.h>

#include "platform/log.h"

namespace sandgate::gateway {

void log_exchange_error(const Exchange& exchange, const Error& error) {
  bool ours = error.kind == ErrorKind::kUpstream || error.kind == ErrorKind::kTimedOut ||
              error.kind == ErrorKind::kInternal || error.kind == ErrorKind::kOverloaded;
  log::Level level = ours ? log::Level::kWarning : log::Level::kDebug;
  if (!log::enabled(level)) return;
  log::write(level, fmt::format("request {}: {}{}{}{}{}", exchange.id, error.detail, error.cause.empty() ? "" : ": ",
                                log::escaped(error.cause), exchange.record.upstream.empty() ? "" : "; upstream ",
                                exchange.record.upstream));
}

}  // namespace sandgate::gateway
