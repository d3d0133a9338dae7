// SPDX-License-Identifier: Apache-2.0
//
// Serialises heads. The writer alone frames messages: Content-Length, Transfer-Encoding and Connection in `fields` are
// skipped and written from the arguments instead, so that no handler or guest can desynchronise a connection. Appends
// to a buffer the caller owns.
#pragma once

#include <string>
#include <string_view>

#include "http/message.h"

namespace sandgate::http {

enum class ConnectionOption : unsigned char {
  kImplied,    // what the version implies: no Connection field
  kClose,      // Connection: close
  kKeepAlive,  // Connection: keep-alive (answers to HTTP/1.0 clients)
  kUpgrade,    // Connection: Upgrade, and the Upgrade field in `fields` is kept
};

// Appends "HTTP/1.1 STATUS REASON", the fields, framing, an empty line. Adds Date when absent and `date` is not empty.
// For statuses without a body no framing is written, but for 304 and answers to HEAD, where a kLength framing is
// written as what GET would have had.
void write_response_head(std::string& out, const ResponseHead& head, BodyFraming framing, ConnectionOption connection,
                         std::string_view date);

// Appends the request line in origin-form (or "*" or authority-form), Host first (from head.authority unless `fields`
// has it), fields, framing. kNone framing writes no Content-Length, except for methods that define a body (POST, PUT,
// PATCH), which get "Content-Length: 0".
void write_request_head(std::string& out, const RequestHead& head, BodyFraming framing, ConnectionOption connection);

// Reason phrase of a registered status, else a general one for its class.
std::string_view reason_phrase(int status);

}  // namespace sandgate::http
