// SPDX-License-Identifier: Apache-2.0
#include "gateway/name_watch.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <utility>

#include "platform/log.h"

namespace sandgate::gateway {

bool is_address(const std::string& host) {
  in6_addr parsed{};
  return ::inet_pton(AF_INET, host.c_str(), &parsed) == 1 || ::inet_pton(AF_INET6, host.c_str(), &parsed) == 1;
}

NameWatch::NameWatch(UpstreamServer& server, net::Resolver& resolver, Loop& loop, std::span<Loop* const> loops,
                     std::vector<net::Address> known)
    : server_(server),
      resolver_(resolver),
      loop_(loop),
      loops_(loops.begin(), loops.end()),
      known_(std::move(known)),
      next_(loop, &NameWatch::due, this) {}

void NameWatch::start(std::weak_ptr<void> upstream, std::shared_ptr<HealthCheck> check) {
  upstream_ = std::move(upstream);
  check_ = std::move(check);
  next_.arm(server_.common().options.resolve);
}

void NameWatch::stop() {
  stopped_ = true;
  next_.disarm();
}

void NameWatch::due(void* owner) {
  auto& watch = *static_cast<NameWatch*>(owner);
  if (watch.stopped_) return;
  watch.next_.arm(watch.server_.common().options.resolve);
  // The answer comes from another thread: it finds the way back here, or nobody.
  auto answer = [weak = watch.weak_from_this(), upstream = watch.upstream_,
                 loop = &watch.loop_](Result<std::vector<net::Address>> addresses) {
    // While the upstream is held there is its loop too.
    std::shared_ptr<void> held = upstream.lock();
    if (!held) return;
    loop->post([weak, held = std::move(held), addresses = std::move(addresses)]() mutable {
      if (std::shared_ptr<NameWatch> watch = weak.lock()) watch->found(std::move(addresses), held);
    });
  };
  const ServerOptions& server = watch.server_.options();
  if (!watch.resolver_.ask(server.host, server.port, std::move(answer)))
    log::warning("upstream {}: too many names wait to be looked up", watch.server_.common().options.name);
}

void NameWatch::found(Result<std::vector<net::Address>> addresses, const std::shared_ptr<void>& upstream) {
  if (stopped_) return;
  const std::string& name = server_.common().options.name;
  if (!addresses) {
    log::warning("upstream {}: {}: {}; its last addresses stay", name, server_.authority(), addresses.error().detail);
    return;
  }
  // Name servers change the order with every answer.
  if (std::ranges::is_permutation(*addresses, known_)) return;
  known_ = *std::move(addresses);
  std::string shown;
  for (const net::Address& address : known_) shown += " " + address.text();
  log::info("upstream {}: {} is now at{}", name, server_.authority(), shown);
  if (check_) check_->pool().set_addresses(known_);
  for (Loop* loop : loops_) {
    loop->post([upstream, server = &server_, loop, known = known_] {
      UpstreamServer::OnLoop& place = server->on(*loop);
      if (place.pool) place.pool->set_addresses(known);
    });
  }
}

}  // namespace sandgate::gateway
