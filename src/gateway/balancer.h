// SPDX-License-Identifier: Apache-2.0
//
// Which server of an upstream an exchange goes to. One for each loop, which choose each for themselves, so that a
// choice costs no shared write. Servers that are out (server_health.h) or full are passed by; when all are out, each is
// tried anyway, but for those that the operator drains. Loop thread only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/loop.h"
#include "gateway/fast_random.h"
#include "gateway/upstream_options.h"

namespace sandgate::gateway {

class UpstreamServer;

// The servers that one exchange has been to.
class TriedServers {
 public:
  bool has(std::size_t index) const { return (bits_ >> index & 1U) != 0; }
  void add(std::size_t index) { bits_ |= std::uint64_t{1} << index; }
  void remove(std::size_t index) { bits_ &= ~(std::uint64_t{1} << index); }

 private:
  std::uint64_t bits_ = 0;
};

// Equal in every process, so that gateways side by side send a key to the same server.
std::uint64_t hash_text(std::string_view text);

struct Choice {
  UpstreamServer* server = nullptr;  // null: none
  bool full = false;                 // with none: there are servers, but each has all the connections it may
};

class alignas(64) Balancer {
 public:
  using Servers = std::span<const std::unique_ptr<UpstreamServer>>;

  // Both outlive the balancer. Loops start at different servers, so that a handful of requests spreads too.
  Balancer(const UpstreamOptions& options, Servers servers, const Loop& loop);

  // Whether choose() wants the request's key.
  bool wants_key() const { return balance_ == Balance::kConsistentHash; }
  // The next server that `tried` does not have, and remembers it there. `key` for consistent hashing only.
  Choice choose(TriedServers& tried, std::optional<std::string_view> key);

 private:
  // Servers as a word of bits.
  using Set = std::uint64_t;

  std::size_t pick(Set from, std::optional<std::string_view> key);
  std::size_t by_turn(Set from);
  std::size_t by_fewest(Set from) const;
  std::size_t by_two_choices(Set from);
  std::size_t by_hash(Set from, std::string_view key) const;
  std::size_t draw(Set from);
  unsigned share(std::size_t index) const;
  Choice take(std::size_t index, TriedServers& tried);

  const UpstreamOptions& options_;
  Servers servers_;
  const Loop& loop_;
  Balance balance_;
  std::size_t turn_;
  FastRandom random_;
  std::array<std::int64_t, UpstreamOptions::kServersMax> credit_{};  // of smooth weighted turns
};

}  // namespace sandgate::gateway
