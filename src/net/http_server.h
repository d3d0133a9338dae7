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
#include "net/listening_socket.h"
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
  // Accepts from a socket that listens already, of which this process holds one more descriptor. Several may have one
  // address. Returns that. Before start().
  virtual Address adopt(ListeningSocket socket) = 0;
  virtual void start() = 0;

  // All sockets that are listened on, for another process. kInternal: no descriptor is left. Any thread, before
  // drain(), hand_over() or close_all().
  virtual Result<std::vector<ListeningSocket>> share_sockets() const = 0;

  // No new connections but those in the backlog; busy ones end after their response, idle ones after a last request or
  // a second without one. Any thread.
  virtual void drain() = 0;
  // As drain(), but the sockets at these addresses are only let go: another process accepts from them, and gets those
  // in the backlog. Any thread.
  virtual void hand_over(std::vector<Address> taken) = 0;
  // Whether connections may still be accepted: from start() on, and for a moment after drain() and the like. Any
  // thread.
  virtual bool listening() const = 0;
  // Open connections now. Any thread.
  virtual std::size_t open_connections() const = 0;
  // No new connections; every one ends. Any thread; open_connections() falls to 0 as soon as the handlers returned.
  virtual void close_all() = 0;

  virtual const ServerCounters& counters() const = 0;
};

}  // namespace sandgate::net
