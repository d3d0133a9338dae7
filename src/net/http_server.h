// SPDX-License-Identifier: Apache-2.0
//
// An HTTP/1.1 server: listening sockets whose connections are spread over the loops, to the one with the fewest. Made
// on the main thread, listens on the first loop. Its connections end (drain() or close_all()) before the loops do, and
// it is destroyed after those were stopped.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/result.h"
#include "exchange/handler.h"
#include "net/address.h"
#include "net/server_options.h"

namespace sandgate::net {

class LoopThread;

class HttpServer {
 public:
  // `handler` and the loops outlive the server. The loops need not run yet; loops[i] has the index i.
  static std::unique_ptr<HttpServer> create(std::vector<LoopThread*> loops, const Handler& handler,
                                            const ServerOptions& options);
  virtual ~HttpServer() = default;

  // Binds and listens; connections are accepted from start() on. Returns the bound address (a port 0 is chosen then).
  // kOverloaded when another program has it, kDenied, kInternal; the detail is for the person who starts the server.
  // Before start().
  virtual Result<Address> listen(const Address& address) = 0;
  virtual void start() = 0;

  // No new connections but those in the backlog; idle ones end, busy ones after their response. Any thread.
  virtual void drain() = 0;
  // Open connections now. Any thread.
  virtual std::size_t open_connections() const = 0;
  // No new connections; every one ends. Any thread; open_connections() falls to 0 as soon as the handlers returned.
  virtual void close_all() = 0;

  virtual const ServerCounters& counters() const = 0;
};

}  // namespace sandgate::net
