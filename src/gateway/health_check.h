// SPDX-License-Identifier: Apache-2.0
//
// Asks one server every few seconds whether it is well, on one loop, each time on a new connection: a server that
// cannot accept one is not well. What the answers mean is server_health.h's business. Started, stopped and let go of on
// its loop. A probe that is under way keeps the check and its upstream until it has ended.
#pragma once

#include <memory>

#include "base/cancellation.h"
#include "base/loop.h"
#include "base/task.h"
#include "gateway/upstream_options.h"
#include "gateway/upstream_server.h"
#include "net/connection_pool.h"

namespace sandgate::gateway {

class HealthCheck final : public std::enable_shared_from_this<HealthCheck> {
 public:
  // `server` belongs to what start() is given. `pool` is this check's own and keeps no connections.
  HealthCheck(UpstreamServer& server, std::unique_ptr<net::ConnectionPool> pool, Loop& loop);

  // `upstream` is held while a probe runs. `first` is when the first one goes out: a fleet is not asked all at once.
  void start(std::weak_ptr<void> upstream, Milliseconds first);
  // No more probes; one that runs ends soon.
  void stop();
  net::ConnectionPool& pool() { return *pool_; }

 private:
  // What a probe keeps, in the order in which it must not end.
  struct Held {
    std::shared_ptr<void> upstream;
    std::shared_ptr<HealthCheck> check;
  };

  static void due(void* owner);
  static void timed_out(void* owner);
  static Detached probe(Held held);
  Task<Status> ask();
  void tell(const Status& answer);

  const HealthCheckOptions& options() const { return *server_.common().options.health_check; }

  UpstreamServer& server_;
  std::unique_ptr<net::ConnectionPool> pool_;
  Loop& loop_;
  std::weak_ptr<void> upstream_;
  Timer next_;
  Timer timeout_;
  std::unique_ptr<Cancellation> running_;
  bool stopped_ = false;
};

}  // namespace sandgate::gateway
