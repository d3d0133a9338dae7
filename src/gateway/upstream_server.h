// SPDX-License-Identifier: Apache-2.0
//
// One server of an upstream: where it is, its connections on every loop, how it is, and what was counted. Made and
// owned by its Upstream (upstream.h) and shared by all loops. What belongs to a loop is touched on that loop only, but
// for the counters, which anyone may read.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/loop.h"
#include "gateway/server_health.h"
#include "gateway/upstream_options.h"
#include "gateway/waiting_room.h"
#include "net/address.h"
#include "net/connection_pool.h"
#include "telemetry/metrics.h"

namespace sandgate::gateway {

// What the servers of an upstream share.
struct UpstreamCommon {
  explicit UpstreamCommon(const UpstreamOptions& the_options)
      : options(the_options), ejection_room(options.servers.size(), options.ejection.percent_max) {}

  // Whether servers should get unequal shares just now.
  bool uneven(const Loop&) const {
    return unequal_weights.load(std::memory_order_relaxed) || options.slow_start.count() > 0;
  }

  const UpstreamOptions options;
  EjectionRoom ejection_room;
  std::atomic<bool> unequal_weights{false};
  std::shared_ptr<WaitingRoom> waiting_room;
};

// What people who operate the gateway see of a server.
struct ServerView {
  std::string authority;
  unsigned weight = 0;
  bool draining = false;
  bool healthy = true;  // as far as probes say
  bool ejected = false;
  std::uint64_t active = 0;       // requests that are there now
  std::uint64_t connections = 0;  // open, kept ones included
  std::uint64_t requests = 0;     // sent there, retries included
  std::uint64_t failures = 0;     // that it did not answer, or not in full
  std::uint64_t retries = 0;      // sent there after another server had failed
  std::uint64_t ejections = 0;
  std::uint64_t probes_passed = 0;
  std::uint64_t probes_failed = 0;
};

class UpstreamServer final : private net::ConnectionBound {
 public:
  struct alignas(128) OnLoop {
    std::unique_ptr<net::ConnectionPool> pool;
    telemetry::Counter started;
    telemetry::Counter ended;
    telemetry::Counter failures;
    telemetry::Counter retries;
  };

  // `common` outlives the server; `index` is its place among the servers.
  UpstreamServer(UpstreamCommon& common, std::size_t index, std::size_t loops);

  std::string_view authority() const { return authority_; }
  std::size_t index() const { return index_; }
  // For consistent hashing: the same wherever the server is named the same.
  std::uint64_t identity() const { return identity_; }
  const ServerOptions& options() const { return common_.options.servers[index_]; }
  UpstreamCommon& common() const { return common_; }
  ServerHealth& health() { return health_; }
  const ServerHealth& health() const { return health_; }
  unsigned weight() const { return weight_.load(std::memory_order_relaxed); }

  net::ConnectionBound& bound() { return *this; }
  OnLoop& on(const Loop& loop) { return loops_[loop.index()]; }
  net::ConnectionPool& pool(const Loop& loop) { return *loops_[loop.index()].pool; }
  // Whether a request may have a connection, kept or new.
  bool has_room(const Loop& loop) const;
  // Requests that are there now, over all loops.
  std::uint64_t active() const;

  // As of ServerHealth, on the loop of the request.
  void answered(ServerHealth::Era era, const Loop& loop) {
    if (!health_.ejected()) return;
    health_.answered(era, loop);
    if (health_.is_in()) came_back();
  }
  // It takes requests again: who waits for a connection to another one may have one here. Any thread.
  void came_back();

  // Any thread, until the upstream is let go. Requests that are there stay.
  void set_draining(bool draining);
  // kInvalid unless 1 to ServerOptions::kWeightMax.
  Status set_weight(unsigned weight);
  ServerView view() const;

 private:
  bool try_open() override;
  void closed(Loop& loop) override;
  bool keep_idle(Loop& loop) override;

  UpstreamCommon& common_;
  std::size_t index_;
  std::string authority_;
  std::uint64_t identity_;
  std::atomic<unsigned> weight_;
  ServerHealth health_;
  std::vector<OnLoop> loops_;
  alignas(64) std::atomic<std::size_t> open_{0};  // connections
};

}  // namespace sandgate::gateway
