// SPDX-License-Identifier: Apache-2.0
#include "gateway/upstream.h"

#include <algorithm>
#include <utility>

namespace sandgate::gateway {

bool UpstreamServer::admits(Nanoseconds now) const {
  std::int64_t retry_at = retry_at_ns_.load(std::memory_order_relaxed);
  if (retry_at == 0) return true;
  if (now.count() < retry_at) return false;
  // Whoever moves the date makes the trial; the others go on passing by.
  return retry_at_ns_.compare_exchange_strong(retry_at, (now + kDownFor).count(), std::memory_order_relaxed);
}

void UpstreamServer::mark_down(Nanoseconds now) const {
  retry_at_ns_.store((now + kDownFor).count(), std::memory_order_relaxed);
}

Result<std::unique_ptr<Upstream>> Upstream::create(std::span<const ServerAddress> servers, std::span<Loop* const> loops,
                                                   const net::PoolOptions& options, const MakePool& make_pool) {
  if (servers.empty()) return fail(ErrorKind::kInvalid, "an upstream needs at least one server");
  if (servers.size() > kServersMax) {
    return fail(ErrorKind::kInvalid, "an upstream has at most " + std::to_string(kServersMax) + " servers");
  }
  std::unique_ptr<Upstream> upstream(new Upstream());
  for (const ServerAddress& server : servers) {
    std::vector<std::unique_ptr<net::ConnectionPool>> pools;
    pools.reserve(loops.size());
    for (Loop* loop : loops) pools.push_back(make_pool(*loop, server.address, options));
    upstream->servers_.push_back(std::make_unique<UpstreamServer>(server.authority, std::move(pools)));
  }
  return upstream;
}

std::size_t Upstream::servers_up() const {
  return static_cast<std::size_t>(std::ranges::count_if(servers_, [](const auto& server) { return server->is_up(); }));
}

void Upstream::close_idle(const Loop& loop) const {
  for (const auto& server : servers_) server->pool(loop).close_idle();
}

}  // namespace sandgate::gateway
