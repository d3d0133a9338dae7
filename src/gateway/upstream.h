// SPDX-License-Identifier: Apache-2.0
//
// The servers behind the gateway as one thing that requests are sent to. Held by std::shared_ptr, by several
// configurations at once: one whose options did not change survives a reload. Whoever serves exchanges through it holds
// a reference for as long as they last. The last reference may be dropped on any thread, also when the loops have
// ended: each loop is told, closes what is its own, and the rest goes when all have. The loops themselves outlive it.
//
// What runs on a loop in the name of an upstream (probes, look-ups) ends when it is let go; a server that ends its
// loops lets go of its upstreams before, or calls stop().
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/loop.h"
#include "base/result.h"
#include "exchange/exchange.h"
#include "gateway/balancer.h"
#include "gateway/fast_random.h"
#include "gateway/health_check.h"
#include "gateway/name_watch.h"
#include "gateway/retry_budget.h"
#include "gateway/upstream_options.h"
#include "gateway/upstream_server.h"
#include "gateway/waiting_room.h"
#include "net/address.h"
#include "net/connection_pool.h"

namespace sandgate::gateway {

class Upstream final : private WaitingRoom::Host, public std::enable_shared_from_this<Upstream> {
 public:
  // How a pool is made and a name looked up (blocking); tests give their own.
  using MakePool =
      std::function<std::unique_ptr<net::ConnectionPool>(Loop&, std::vector<net::Address>, const net::PoolOptions&)>;
  using Resolve = std::function<Result<std::vector<net::Address>>(std::string_view host, std::uint16_t port)>;

  struct Surroundings {
    std::span<Loop* const> loops;  // by index
    MakePool make_pool = &net::ConnectionPool::create;
    Resolve resolve = &net::resolve_all;
    net::Resolver* resolver =
        nullptr;  // looks names up again; null: nobody does. Outlives the upstream, but not the loops
  };

  // Looks the servers' names up, which blocks: not on a loop's thread. kInvalid: the options (upstream_options.h);
  // kNotFound: a name without an address.
  static Result<std::shared_ptr<Upstream>> create(const UpstreamOptions& options, const Surroundings& surroundings);
  ~Upstream();

  const UpstreamOptions& options() const { return common_.options; }
  std::span<const std::unique_ptr<UpstreamServer>> servers() const { return servers_; }
  // Servers that get requests as far as we know.
  std::size_t servers_up() const;
  // Requests that wait for a connection.
  std::size_t waiting() const { return common_.waiting_room->waiting(); }

  // For exchanges, on their loop.
  Choice choose(const Exchange& exchange, TriedServers& tried);
  RetryBudget& retry_budget(const Loop& loop) { return loops_[loop.index()]->retry_budget; }
  FastRandom& random(const Loop& loop) { return loops_[loop.index()]->random; }
  WaitingRoom& waiting_room() { return *common_.waiting_room; }

  // Closes the idle connections of this loop, on its thread; for draining.
  void close_idle(const Loop& loop);
  // No more probes and look-ups. Any thread; they end on their loops soon after.
  void stop();

 private:
  struct alignas(128) OnLoop {
    OnLoop(const UpstreamOptions& options, Balancer::Servers servers, std::span<Loop* const> loops, const Loop& loop)
        : balancer(options, servers, loop), retry_budget(options.retries, loops.size()), random(seed_of(loop)) {}
    // Gateways side by side must not wait for the same times.
    static std::uint64_t seed_of(const Loop& loop);
    Balancer balancer;
    RetryBudget retry_budget;
    FastRandom random;
    // In the order of the servers that this loop looks after; null where there is nothing to do.
    std::vector<std::shared_ptr<HealthCheck>> health_checks;
    std::vector<std::shared_ptr<NameWatch>> name_watches;
  };
  // Ends the upstream when the last reference outside goes.
  struct LetGo {
    std::shared_ptr<Upstream> upstream;
    void operator()(Upstream* gone);
  };

  Upstream(const UpstreamOptions& options, std::span<Loop* const> loops);

  Status make_servers(const Surroundings& surroundings);
  void make_background(const Surroundings& surroundings);
  // On the loop: its probes and look-ups begin, end; all that is its own goes.
  void start_here(const Loop& loop);
  void stop_here(const Loop& loop);
  void leave(const Loop& loop);
  bool has_room(const Loop& loop) const override;
  void give_up_idle(const Loop& loop) override;

  UpstreamCommon common_;
  std::vector<Loop*> all_loops_;
  std::vector<std::unique_ptr<UpstreamServer>> servers_;
  std::vector<std::shared_ptr<net::TlsClient>> tls_;  // by server; null: plain
  std::vector<std::vector<net::Address>> found_at_;   // by server, when it was made
  std::vector<std::unique_ptr<OnLoop>> loops_;
};

}  // namespace sandgate::gateway
