// SPDX-License-Identifier: Apache-2.0
#include "gateway/upstream_server.h"

#include <fmt/core.h>

#include "gateway/balancer.h"
#include "platform/clock.h"

namespace sandgate::gateway {

UpstreamServer::UpstreamServer(UpstreamCommon& common, std::size_t index, std::size_t loops)
    : common_(common),
      index_(index),
      authority_(options().authority()),
      identity_(hash_text(authority_)),
      weight_(options().weight),
      health_(common.options, common.ejection_room),
      loops_(loops) {}

bool UpstreamServer::has_room(const Loop& loop) const {
  std::size_t max = common_.options.connections.connections_max;
  if (max == 0) return true;
  std::size_t taken = open_.load(std::memory_order_relaxed) + common_.waiting_room->promised(index_);
  return taken < max || taken < max + loops_[loop.index()].pool->idle();
}

bool UpstreamServer::try_open() {
  std::size_t max = common_.options.connections.connections_max;
  if (open_.fetch_add(1, std::memory_order_seq_cst) < max || max == 0) return true;
  open_.fetch_sub(1, std::memory_order_seq_cst);
  return false;
}

void UpstreamServer::closed(Loop& loop) {
  open_.fetch_sub(1, std::memory_order_seq_cst);
  common_.waiting_room->wake(loop, index_);
}

bool UpstreamServer::keep_idle(Loop& loop) {
  WaitingRoom& room = *common_.waiting_room;
  if (room.empty()) return true;
  if (room.wanted_elsewhere(loop)) return false;
  room.wake(loop, index_);
  return true;
}

std::uint64_t UpstreamServer::active() const {
  std::uint64_t started = 0;
  std::uint64_t ended = 0;
  // Ends first: a request that ends meanwhile counts as open, and never as less than none.
  for (const OnLoop& loop : loops_) ended += loop.ended.read();
  for (const OnLoop& loop : loops_) started += loop.started.read();
  return started > ended ? started - ended : 0;
}

void UpstreamServer::came_back() {
  std::size_t max = common_.options.connections.connections_max;
  std::size_t there = active();
  // Kept connections are room, too.
  if (there < max) common_.waiting_room->wake_many(index_, max - there);
}

void UpstreamServer::set_draining(bool draining) {
  bool was_in = health_.is_in();
  health_.set_draining(draining, platform::monotonic_coarse_now());
  if (!was_in && health_.is_in()) came_back();
}

Status UpstreamServer::set_weight(unsigned weight) {
  if (weight < 1 || weight > ServerOptions::kWeightMax) {
    return fail(ErrorKind::kInvalid, fmt::format("a weight must be 1 to {}", ServerOptions::kWeightMax));
  }
  weight_.store(weight, std::memory_order_relaxed);
  // Exact weights are looked up from now on; that they happen to be equal costs a few nanoseconds.
  common_.unequal_weights.store(true, std::memory_order_relaxed);
  return {};
}

ServerView UpstreamServer::view() const {
  ServerView view;
  view.authority = authority_;
  view.weight = weight();
  view.draining = health_.draining();
  view.healthy = !health_.unhealthy();
  view.ejected = health_.ejected();
  view.active = active();
  view.connections = open_.load(std::memory_order_relaxed);
  for (const OnLoop& loop : loops_) {
    view.requests += loop.started.read();
    view.failures += loop.failures.read();
    view.retries += loop.retries.read();
  }
  view.ejections = health_.ejections();
  view.probes_passed = health_.probes_passed();
  view.probes_failed = health_.probes_failed();
  return view;
}

}  // namespace sandgate::gateway
