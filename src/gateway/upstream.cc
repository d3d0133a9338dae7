// SPDX-License-Identifier: Apache-2.0
#include "gateway/upstream.h"

#include <algorithm>
#include <utility>

#include "gateway/hash_key.h"
#include "platform/clock.h"

namespace sandgate::gateway {
namespace {

// The first probes of a fleet go out within this time: soon, but not all at once.
constexpr Milliseconds kFirstProbes{1000};

// Null for a server without TLS. A certificate is bound to a name, so each server has its own.
Result<std::shared_ptr<net::TlsClient>> make_tls(const UpstreamTlsOptions& options, const ServerOptions& server) {
  if (server.scheme == Scheme::kHttp) return nullptr;
  net::TlsClientOptions tls;
  if (options.verify == UpstreamTlsOptions::Verify::kOff) tls.verify = net::TlsClientOptions::Verify::kOff;
  tls.ca_file = options.ca_file;
  tls.server_name = options.server_name.empty() ? server.host : options.server_name;
  return net::TlsClient::create(tls);
}

}  // namespace

std::uint64_t Upstream::OnLoop::seed_of(const Loop& loop) {
  return static_cast<std::uint64_t>(platform::unix_now_ns()) + loop.index();
}

Upstream::Upstream(const UpstreamOptions& options, std::span<Loop* const> loops)
    : common_(options), all_loops_(loops.begin(), loops.end()) {
  WaitingRoom::Host& host = *this;
  common_.waiting_room =
      std::make_shared<WaitingRoom>(loops, host, options.servers.size(), options.connections.waiting_max);
}

Upstream::~Upstream() = default;

Result<std::shared_ptr<Upstream>> Upstream::create(const UpstreamOptions& options, const Surroundings& surroundings) {
  if (Status fine = check_upstream_options(options); !fine) return fail(std::move(fine.error()));
  std::shared_ptr<Upstream> upstream(new Upstream(options, surroundings.loops));
  if (Status made = upstream->make_servers(surroundings); !made) return fail(std::move(made.error()));
  for (Loop* loop : surroundings.loops) {
    upstream->loops_.push_back(
        std::make_unique<OnLoop>(upstream->options(), upstream->servers(), surroundings.loops, *loop));
  }
  upstream->make_background(surroundings);
  Upstream* shown = upstream.get();
  return std::shared_ptr<Upstream>(shown, LetGo{std::move(upstream)});
}

Status Upstream::make_servers(const Surroundings& surroundings) {
  const UpstreamOptions& options = common_.options;
  net::PoolOptions pool_options;
  pool_options.idle_max = options.connections.idle_max;
  pool_options.idle = options.connections.idle;
  pool_options.connect = options.timeouts.connect;
  pool_options.first_byte = options.timeouts.first_byte;
  pool_options.between_bytes = options.timeouts.idle;
  pool_options.write = options.timeouts.write;
  for (std::size_t i = 0; i < options.servers.size(); ++i) {
    const ServerOptions& server = options.servers[i];
    if (server.weight != options.servers[0].weight) common_.unequal_weights = true;
    Result<std::shared_ptr<net::TlsClient>> tls = make_tls(options.tls, server);
    if (!tls) return fail(std::move(tls.error()));
    pool_options.tls = *tls;
    tls_.push_back(*std::move(tls));
    Result<std::vector<net::Address>> addresses = surroundings.resolve(server.host, server.port);
    if (!addresses) return fail(std::move(addresses.error()));
    auto made = std::make_unique<UpstreamServer>(common_, i, surroundings.loops.size());
    pool_options.bound = &made->bound();
    for (Loop* loop : surroundings.loops) {
      made->on(*loop).pool = surroundings.make_pool(*loop, *addresses, pool_options);
    }
    servers_.push_back(std::move(made));
    found_at_.push_back(*std::move(addresses));
  }
  return {};
}

// Each server's on one loop, in turn.
void Upstream::make_background(const Surroundings& surroundings) {
  const UpstreamOptions& options = common_.options;
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    std::size_t at = i % all_loops_.size();
    Loop& loop = *all_loops_[at];
    std::shared_ptr<HealthCheck> check;
    if (options.health_check) {
      net::PoolOptions pool_options;
      pool_options.idle_max = 0;
      pool_options.connect = options.health_check->timeout;
      pool_options.first_byte = options.health_check->timeout;
      pool_options.tls = tls_[i];
      check =
          std::make_shared<HealthCheck>(*servers_[i], surroundings.make_pool(loop, found_at_[i], pool_options), loop);
    }
    std::shared_ptr<NameWatch> watch;
    if (surroundings.resolver != nullptr && options.resolve.count() > 0 && !is_address(options.servers[i].host)) {
      watch = std::make_shared<NameWatch>(*servers_[i], *surroundings.resolver, loop, all_loops_, found_at_[i]);
    }
    if (!check && !watch) continue;
    loops_[at]->health_checks.push_back(std::move(check));
    loops_[at]->name_watches.push_back(std::move(watch));
  }
  for (Loop* loop : all_loops_) {
    if (loops_[loop->index()]->health_checks.empty()) continue;
    loop->post([kept = shared_from_this(), loop] { kept->start_here(*loop); });
  }
}

void Upstream::start_here(const Loop& loop) {
  OnLoop& here = *loops_[loop.index()];
  std::size_t count = here.health_checks.size();
  for (std::size_t i = 0; i < count; ++i) {
    const std::shared_ptr<HealthCheck>& check = here.health_checks[i];
    if (check) check->start(weak_from_this(), std::min(options().health_check->interval, kFirstProbes) * i / count);
    if (here.name_watches[i]) here.name_watches[i]->start(weak_from_this(), check);
  }
}

void Upstream::stop_here(const Loop& loop) {
  OnLoop& here = *loops_[loop.index()];
  for (const auto& check : here.health_checks) {
    if (check) check->stop();
  }
  for (const auto& watch : here.name_watches) {
    if (watch) watch->stop();
  }
}

std::size_t Upstream::servers_up() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(servers_, [](const auto& server) { return server->health().is_in(); }));
}

Choice Upstream::choose(const Exchange& exchange, TriedServers& tried) {
  Balancer& balancer = loops_[exchange.loop().index()]->balancer;
  if (!balancer.wants_key()) return balancer.choose(tried, std::nullopt);
  return balancer.choose(tried, hash_key_of(exchange, options().hash_key));
}

void Upstream::close_idle(const Loop& loop) {
  for (const auto& server : servers_) server->pool(loop).close_idle();
}

void Upstream::stop() {
  for (Loop* loop : all_loops_) {
    loop->post([kept = shared_from_this(), loop] { kept->stop_here(*loop); });
  }
}

bool Upstream::has_room(const Loop& loop) const {
  // As Balancer::choose(): while somebody waits nobody goes to a server that is out. Counting its room would have who
  // waits look again and again without end.
  return std::ranges::any_of(servers_,
                             [&](const auto& server) { return server->health().is_in() && server->has_room(loop); });
}

void Upstream::give_up_idle(const Loop& loop) {
  for (const auto& server : servers_) {
    if (server->pool(loop).idle() == 0) continue;
    server->pool(loop).close_oldest_idle();
    return;
  }
}

void Upstream::leave(const Loop& loop) {
  stop_here(loop);
  OnLoop& here = *loops_[loop.index()];
  here.health_checks.clear();
  here.name_watches.clear();
  for (const auto& server : servers_) server->on(loop).pool.reset();
}

// A loop that has ended drops the job, and with it its part of the upstream: nothing runs there any more.
void Upstream::LetGo::operator()(Upstream*) {
  for (Loop* loop : upstream->all_loops_) {
    loop->post([kept = upstream, loop] { kept->leave(*loop); });
  }
  upstream.reset();
}

}  // namespace sandgate::gateway
