// SPDX-License-Identifier: Apache-2.0
#include "gateway/balancer.h"

namespace sandgate::gateway {

Balancer::Balancer(const Upstream& upstream, std::size_t loops) : upstream_(upstream), turns_(loops) {
  // Loops start at different servers, so that a handful of requests spreads too.
  for (std::size_t i = 0; i < loops; ++i) turns_[i].next = i % upstream.servers().size();
}

const UpstreamServer* Balancer::take(Turn& turn, std::size_t index, TriedServers& tried) const {
  tried.add(index);
  // From the one taken, not from where the search began: otherwise the server after one that is down would get its
  // share as well.
  turn.next = index + 1 == upstream_.servers().size() ? 0 : index + 1;
  return upstream_.servers()[index].get();
}

const UpstreamServer* Balancer::next(const Loop& loop, TriedServers& tried) const {
  auto servers = upstream_.servers();
  Turn& turn = turns_[loop.index()];
  std::size_t fallback = servers.size();
  for (std::size_t step = 0; step < servers.size(); ++step) {
    std::size_t index = turn.next + step;
    if (index >= servers.size()) index -= servers.size();
    if (tried.has(index)) continue;
    if (servers[index]->is_up() || servers[index]->admits(loop.now())) return take(turn, index, tried);
    if (fallback == servers.size()) fallback = index;
  }
  if (fallback == servers.size()) return nullptr;
  return take(turn, fallback, tried);
}

}  // namespace sandgate::gateway
