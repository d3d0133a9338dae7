// SPDX-License-Identifier: Apache-2.0
//
// One HTTP/1.1 connection to an upstream, for one exchange at a time: request out, response in, both streamed. Sending
// and receiving may be awaited by two coroutines at once (an upstream may answer before it has the whole request).
// Timeouts are the pool's. Loop thread only.
#pragma once

#include <string_view>

#include "base/result.h"
#include "base/task.h"
#include "exchange/body_source.h"
#include "exchange/exchange.h"
#include "http/message.h"

namespace sandgate::net {

class ClientConnection {
 public:
  virtual ~ClientConnection() = default;

  // Sends the head and, in the same packet, `body_start`: the first (or the only) bytes of the body, not yet framed.
  // Errors of all writes: kDisconnected (the connection is dead; wrote_any() tells whether any byte left), kTimedOut.
  virtual Task<Status> write_head(const http::RequestHead& head, http::BodyFraming framing, bool upgrade,
                                  std::string_view body_start) = 0;
  virtual Task<Status> write_body(std::string_view bytes) = 0;
  // The end of a chunked body; nothing to do for others. `trailers` may be null.
  virtual Task<Status> finish_body(const http::Fields* trailers) = 0;
  // Whether a byte of the current request was handed to the kernel.
  virtual bool wrote_any() const = 0;

  // Reads the next response head, interim ones (1xx) included, into `head`, whose arena takes the text. `method` is the
  // request's. Errors: kDisconnected (closed before the first byte of a head: see received_any), kUpstream (malformed,
  // too large, closed in the middle), kTimedOut.
  virtual Task<Status> read_head(std::string_view method, http::ResponseHead& head) = 0;
  virtual bool received_any() const = 0;
  // The body of the head read last, when it was a final one. Valid until the next read_head or the end of the lease.
  // Errors of its reads: kUpstream, kTimedOut.
  virtual BodySource& body() = 0;
  // After a 101: the bytes both ways. The connection is not reusable then.
  virtual RawStream& raw() = 0;

  // Ends pending operations with kDisconnected and closes. Idempotent.
  virtual void abort() = 0;
};

}  // namespace sandgate::net
