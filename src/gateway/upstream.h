// SPDX-License-Identifier: Apache-2.0
//
// The servers behind the gateway: where each is, its keep-alive connections on every loop, and whether it took
// connections lately. Made once at start and shared by all loops; immutable but for the health mark, which is one
// atomic word a server. The pools are used on their loops only, and all of it outlives the loops' exchanges. Which
// server is next is balancer.h's business.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/loop.h"
#include "base/result.h"
#include "net/address.h"
#include "net/connection_pool.h"

namespace sandgate::gateway {

// A server as configured: how it is named in logs and metrics, and where it is.
struct ServerAddress {
  std::string authority;  // "127.0.0.1:30000"
  net::Address address;
};

class UpstreamServer {
 public:
  // A server that refused a connection is left alone this long; then one exchange tries it. Long enough to spare a
  // restarting server a stampede, short enough that nobody waits for it once it is back.
  static constexpr Nanoseconds kDownFor = std::chrono::seconds(2);

  // `pools` by loop index.
  UpstreamServer(std::string authority, std::vector<std::unique_ptr<net::ConnectionPool>> pools)
      : authority_(std::move(authority)), pools_(std::move(pools)) {}

  // Lives as long as the server, so the record of an exchange may keep it.
  std::string_view authority() const { return authority_; }
  net::ConnectionPool& pool(const Loop& loop) const { return *pools_[loop.index()]; }

  bool is_up() const { return retry_at_ns_.load(std::memory_order_relaxed) == 0; }
  // Whether an exchange should connect now. For a server that is down and due for its trial, true for one caller in
  // kDownFor.
  bool admits(Nanoseconds now) const;
  // A connection was refused, unreachable or timed out.
  void mark_down(Nanoseconds now) const;
  // A connection was made.
  void mark_up() const {
    if (!is_up()) retry_at_ns_.store(0, std::memory_order_relaxed);
  }

 private:
  std::string authority_;
  std::vector<std::unique_ptr<net::ConnectionPool>> pools_;
  // When the next trial is due, in the loops' monotonic time; 0 while the server is up.
  mutable std::atomic<std::int64_t> retry_at_ns_{0};
};

class Upstream {
 public:
  // The balancer remembers what an exchange tried in one word.
  static constexpr std::size_t kServersMax = 64;

  // How a pool is made; tests give their own.
  using MakePool =
      std::function<std::unique_ptr<net::ConnectionPool>(Loop&, const net::Address&, const net::PoolOptions&)>;

  // One pool for each server and loop; `loops` by index. kInvalid: no server, or more than kServersMax.
  static Result<std::unique_ptr<Upstream>> create(std::span<const ServerAddress> servers, std::span<Loop* const> loops,
                                                  const net::PoolOptions& options,
                                                  const MakePool& make_pool = &net::ConnectionPool::create);

  std::span<const std::unique_ptr<UpstreamServer>> servers() const { return servers_; }
  // Servers that take connections as far as we know.
  std::size_t servers_up() const;
  // Closes the idle connections of this loop, on its thread; for draining.
  void close_idle(const Loop& loop) const;

 private:
  Upstream() = default;
  std::vector<std::unique_ptr<UpstreamServer>> servers_;
};

}  // namespace sandgate::gateway
