// SPDX-License-Identifier: Apache-2.0
//
// Keep-alive connections of one loop to one upstream server. A connection is leased to one exchange at a time; what is
// left in a state that cannot be trusted is closed, not returned. Loop thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/cancellation.h"
#include "base/loop.h"
#include "base/result.h"
#include "base/task.h"
#include "net/address.h"
#include "net/client_connection.h"
#include "net/connection_bound.h"
#include "net/tls_client.h"

namespace sandgate::net {

struct PoolOptions {
  std::size_t idle_max = 256;  // kept per loop and server; the oldest are closed
  Milliseconds idle{60'000};   // closed after this long unused
  Milliseconds connect{5'000};
  Milliseconds first_byte{120'000};     // from the end of the request to the response head
  Milliseconds between_bytes{120'000};  // silence within a body
  Milliseconds write{60'000};           // no progress while sending
  ConnectionBound* bound = nullptr;     // asked before a connection is made; outlives the pool
  std::shared_ptr<TlsClient> tls{};     // null: plain
};

class ConnectionPool;

// A leased connection. Returns it when it is reusable, else closes it. Ends before the pool does.
class Lease {
 public:
  Lease(ConnectionPool& pool, std::unique_ptr<ClientConnection> connection, bool reused)
      : pool_(&pool), connection_(std::move(connection)), reused_(reused) {}
  Lease(Lease&&) noexcept = default;
  Lease& operator=(Lease&&) = delete;
  ~Lease();

  ClientConnection& connection() const { return *connection_; }
  // Whether it has served a request before: it may have died unnoticed, so a failure without a byte of response may be
  // retried (proxy rules).
  bool reused() const { return reused_; }

 private:
  ConnectionPool* pool_;
  std::unique_ptr<ClientConnection> connection_;
  bool reused_;
};

class ConnectionPool {
 public:
  // `loop` must be a LoopThread; both outlive the leases.
  // Of several addresses each new connection takes the next one, and another when that one cannot be reached.
  static std::unique_ptr<ConnectionPool> create(Loop& loop, std::vector<Address> server, const PoolOptions& options);
  virtual ~ConnectionPool() = default;

  // An idle connection that shows no sign of death, or a new one (always a new one with `fresh`). Errors: kUpstream
  // (refused, unreachable; the detail is for the log), kTimedOut (connect), kOverloaded (no descriptor, or the bound is
  // reached), kDisconnected (cancelled).
  virtual Task<Result<Lease>> lease(Cancellation& cancellation, bool fresh) = 0;
  // Closes the idle connections, for draining.
  virtual void close_idle() = 0;
  virtual std::size_t idle() const = 0;
  // Closes the connection that was idle for the longest, if any.
  virtual void close_oldest_idle() = 0;
  // Where the server is from now on; idle connections to where it was are closed, leased ones when they come back.
  virtual void set_addresses(std::vector<Address> addresses) = 0;

 private:
  friend class Lease;
  virtual void give_back(std::unique_ptr<ClientConnection> connection) = 0;
};

}  // namespace sandgate::net
