// SPDX-License-Identifier: Apache-2.0
//
// Answers that the gateway itself gives. Errors become `application/problem+json` (RFC 9457) with the members type,
// title, status, detail, request_id, and for clients of the seed's API also error and message. The only place that maps
// error kinds to statuses.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "exchange/exchange.h"

namespace sandgate {

// kInvalid 400, kDenied 403, kNotFound 404, kTooLarge 413, kOverloaded 503, kTimedOut 504, kDisconnected and kUpstream
// 502, kGuestFault 503 (one status for every way to fail), kUnsupported 501, kInternal 500. kTimedOut and kDisconnected
// are an upstream's here; who waits for a client's bytes says 408 itself.
int status_of(ErrorKind kind);

// A complete response with `body` as `content_type`. Sets Content-Length; `extra` fields are added when not null.
// Remembers the status in the record. The texts must live until the Task ends.
Task<Status> respond(Exchange& exchange, int status, std::string_view content_type, std::string_view body,
                     const http::Fields* extra = nullptr);

// A problem body with an explicit status. `detail` may be shown to anyone. Carries Retry-After when `retry_after_s` >
// 0. Never cached.
struct Problem {
  int status = 500;
  std::string_view error;   // stable name: "not_found"
  std::string_view detail;  // a sentence
  int retry_after_s = 0;
  std::string_view allow;         // for 405: the methods
  std::string_view authenticate;  // for 401
};
Task<Status> respond_problem(Exchange& exchange, const Problem& problem);
// The problem of an error; only `detail` is shown, never `cause`. Aborts instead when the response is committed.
Task<Status> respond_error(Exchange& exchange, const Error& error);

// JSON text of a problem body, for places without an exchange (a connection that refuses a head). `request_id` may be
// empty.
std::string problem_json(const Problem& problem, std::string_view request_id);

// Appends `text` as the inside of a JSON string: quotes, backslashes and control bytes escaped, invalid UTF-8 replaced
// by U+FFFD.
void append_json_string(std::string& out, std::string_view text);

}  // namespace sandgate
