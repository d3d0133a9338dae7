// SPDX-License-Identifier: Apache-2.0
//
// Where a response goes: a client connection, a buffer, a filter around another sink. Order of calls: informational()*,
// start(), write()*, finish(). Before start() nothing is committed and another response may be chosen; after it an
// error can only abort, visibly to the client. Loop thread only; the caller awaits each call before the next.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "base/task.h"
#include "http/message.h"

namespace sandgate {

class ResponseSink {
 public:
  virtual ~ResponseSink() = default;

  // An interim 1xx head other than 100 and 101. May be dropped (HTTP/1.0).
  virtual Task<Status> informational(const http::ResponseHead& head) = 0;
  // The one final head. `length` is the number of body bytes that follow, when known; with nothing the body is framed
  // by the protocol. The head's text may be freed when the call returns. May hold the bytes back until the first
  // write() or finish(), so that a small response is one packet.
  virtual Task<Status> start(const http::ResponseHead& head, std::optional<std::uint64_t> length) = 0;
  // Body bytes; returns when the peer has taken them or they are in a bounded buffer. For HEAD and statuses without a
  // body they are dropped. kDisconnected when the client is gone, kTimedOut when it takes nothing for too long.
  virtual Task<Status> write(std::string_view bytes) = 0;
  // The end. `trailers` may be null.
  virtual Task<Status> finish(const http::Fields* trailers) = 0;
  // Gives up: before start() nothing is sent; after it the body ends as broken (the connection is closed, the stream
  // reset).
  virtual void abort() = 0;
  // Whether start() was called.
  virtual bool committed() const = 0;
};

}  // namespace sandgate
