// SPDX-License-Identifier: Apache-2.0
#include "gateway/balancer.h"

#include <bit>
#include <cmath>
#include <limits>

#include "gateway/upstream.h"

namespace sandgate::gateway {
namespace {

// Members of a set, lowest first: `for (Set left = set; left != 0; left &= left - 1) first(left)`.
std::size_t first(std::uint64_t set) { return static_cast<std::size_t>(std::countr_zero(set)); }

}  // namespace

std::uint64_t hash_text(std::string_view text) {
  // FNV-1a, mixed: keys are short, and gateways that share a load must agree, so there is no seed.
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return mix_bits(hash);
}

Balancer::Balancer(const UpstreamOptions& options, Servers servers, const Loop& loop)
    : options_(options),
      servers_(servers),
      loop_(loop),
      balance_(options.balance),
      turn_(loop.index() % servers.size()),
      random_(loop.index()) {}

Choice Balancer::take(std::size_t index, TriedServers& tried) {
  tried.add(index);
  // From the one taken, not from where the search began: otherwise the server after one that is out would get its share
  // as well.
  turn_ = index + 1 == servers_.size() ? 0 : index + 1;
  return {&*servers_[index], false};
}

Choice Balancer::choose(TriedServers& tried, std::optional<std::string_view> key) {
  // Most upstreams: a look at the server whose turn it is.
  UpstreamServer& next = *servers_[turn_];
  if (balance_ == Balance::kRoundRobin && !next.common().uneven(loop_) && !tried.has(turn_) && next.health().is_in() &&
      next.has_room(loop_)) {
    return take(turn_, tried);
  }
  Set good = 0;
  Set fallback = 0;
  bool full = false;
  Set due = 0;
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    UpstreamServer& server = *servers_[i];
    if (tried.has(i) || server.health().draining()) continue;
    if (!server.has_room(loop_)) {
      full = true;
      continue;
    }
    Set bit = Set{1} << i;
    if (server.health().is_in()) {
      good |= bit;
    } else {
      fallback |= bit;
      // One at a time: whoever takes the trial goes there.
      if (due == 0 && server.health().admits(loop_.now())) due = bit;
    }
  }
  if (due != 0) return take(first(due), tried);
  if (good == 0 && full) return {nullptr, true};
  if (good == 0) good = fallback;
  if (good == 0) return {};
  return take(pick(good, key), tried);
}

std::size_t Balancer::pick(Set from, std::optional<std::string_view> key) {
  if (std::has_single_bit(from)) return first(from);
  switch (balance_) {
    case Balance::kRoundRobin: return by_turn(from);
    case Balance::kLeastRequests: return by_fewest(from);
    case Balance::kTwoChoices: return by_two_choices(from);
    case Balance::kConsistentHash: return key ? by_hash(from, *key) : by_turn(from);
  }
  return by_turn(from);
}

unsigned Balancer::share(std::size_t index) const {
  return servers_[index]->weight() * servers_[index]->health().share(loop_.now());
}

// Smooth weighted turns: everyone earns its share, the richest serves and pays for all. Equal shares make plain turns,
// unequal ones mix as evenly as they can.
std::size_t Balancer::by_turn(Set from) {
  if (!servers_[0]->common().uneven(loop_)) {
    Set later = from & (~Set{0} << turn_);
    return first(later != 0 ? later : from);
  }
  std::int64_t all = 0;
  std::size_t richest = first(from);
  for (Set left = from; left != 0; left &= left - 1) {
    std::size_t i = first(left);
    std::int64_t earned = share(i);
    credit_[i] += earned;
    all += earned;
    if (credit_[i] > credit_[richest]) richest = i;
  }
  credit_[richest] -= all;
  return richest;
}

// Fewest for its share; equals take turns.
std::size_t Balancer::by_fewest(Set from) const {
  std::size_t best = servers_.size();
  std::uint64_t best_open = 0;
  std::uint64_t best_share = 0;
  for (std::size_t step = 0; step < servers_.size(); ++step) {
    std::size_t i = turn_ + step < servers_.size() ? turn_ + step : turn_ + step - servers_.size();
    if ((from >> i & 1U) == 0) continue;
    std::uint64_t open = servers_[i]->active() + 1;
    std::uint64_t its_share = share(i);
    if (best == servers_.size() || open * best_share < best_open * its_share) {
      best = i;
      best_open = open;
      best_share = its_share;
    }
  }
  return best;
}

std::size_t Balancer::draw(Set from) {
  std::uint64_t all = 0;
  for (Set left = from; left != 0; left &= left - 1) all += share(first(left));
  std::uint64_t ticket = random_.below(all);
  for (Set left = from; left != 0; left &= left - 1) {
    std::uint64_t its_share = share(first(left));
    if (ticket < its_share) return first(left);
    ticket -= its_share;
  }
  return first(from);
}

std::size_t Balancer::by_two_choices(Set from) {
  std::size_t one = draw(from);
  std::size_t other = draw(from & ~(Set{1} << one));
  return servers_[other]->active() * share(one) < servers_[one]->active() * share(other) ? other : one;
}

// Weighted rendezvous hashing (Thaler, Ravishankar 1998; weights by Schindelhauer, Schomaker 2005): each server draws a
// number from the key and itself, the best one serves. A server that leaves or comes moves only its own keys, weights
// are exact, and there is no ring to keep. With 64 servers a choice takes about a microsecond.
std::size_t Balancer::by_hash(Set from, std::string_view key) const {
  std::uint64_t hash = hash_text(key);
  std::size_t best = first(from);
  double best_score = -1;
  for (Set left = from; left != 0; left &= left - 1) {
    std::size_t i = first(left);
    // In (0, 1): 53 bits and a half.
    double uniform = (static_cast<double>(mix_bits(hash ^ servers_[i]->identity()) >> 11) + 0.5) * 0x1p-53;
    double score = -static_cast<double>(servers_[i]->weight()) / std::log(uniform);
    if (score <= best_score) continue;
    best = i;
    best_score = score;
  }
  return best;
}

}  // namespace sandgate::gateway
