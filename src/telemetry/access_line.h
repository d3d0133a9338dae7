// SPDX-License-Identifier: Apache-2.0
//
// The text of one line of the access log. Runs for every request: appends to the caller's buffer, allocates nothing of
// its own. No secrets: no field but User-Agent and the request id, and of a query only that there is one, unless it is
// asked for. Everything a client chose is escaped and cut, so that a line stays one line of at most kLineBytesMax.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/loop.h"
#include "exchange/exchange.h"

namespace sandgate::telemetry {

enum class AccessLogFormat : unsigned char { kOff, kText, kJson };
enum class LoggedQuery : unsigned char { kHidden, kShown };

// Below PIPE_BUF (4096), so that lines of several loops in one pipe never mix.
inline constexpr std::size_t kLineBytesMax = 4096;
// Of a request target; longer ones are cut and end in "...".
inline constexpr std::size_t kTargetBytesMax = 1024;

// Remembers the text of the last second: formatting a date costs as much as the rest of a line. One per loop.
class SecondText {
 public:
  // "2026-01-02T03:04:05", valid until the next call.
  std::string_view of(std::int64_t unix_seconds);

 private:
  std::int64_t second_ = -1;
  std::string text_;
};

// text: TIME CLIENT "METHOD TARGET HTTP/1.x" STATUS BYTES DURATION_MS upstream=U id=ID agent="..." error="..."
// modules="NAME.POINT=OUTCOME/MS ..."; upstream, error and modules only when there are any. json: one object with time,
// client, method, target, protocol, status, bytes, duration_ms, upstream, request_id, user_agent, error, and modules
// (module, attach_point, outcome, duration_ms) when there are any. Status 0: nothing was sent.
void append_access_line(std::string& out, const Exchange& exchange, Nanoseconds duration, AccessLogFormat format,
                        LoggedQuery query, SecondText& seconds);

}  // namespace sandgate::telemetry
