// SPDX-License-Identifier: Apache-2.0
//
// Which server of an upstream an exchange goes to: round robin, each loop for itself, so that a choice costs no shared
// write. Servers that refused connections lately are passed by (upstream.h); when all are down each is tried once
// anyway. Const and shared by all loops; the turn of a loop is touched on its thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/loop.h"
#include "gateway/upstream.h"

namespace sandgate::gateway {

// The servers that one exchange has been to.
class TriedServers {
 public:
  bool has(std::size_t index) const { return (bits_ >> index & 1U) != 0; }
  void add(std::size_t index) { bits_ |= std::uint64_t{1} << index; }

 private:
  std::uint64_t bits_ = 0;
};

class Balancer {
 public:
  // `upstream` outlives the balancer; `loops` is their number.
  Balancer(const Upstream& upstream, std::size_t loops);

  // The next server that `tried` does not have, and remembers it there; null when it has been to all.
  const UpstreamServer* next(const Loop& loop, TriedServers& tried) const;

 private:
  // A cache line each: loops must not slow each other down.
  struct alignas(64) Turn {
    std::size_t next = 0;
  };

  const UpstreamServer* take(Turn& turn, std::size_t index, TriedServers& tried) const;

  const Upstream& upstream_;
  mutable std::vector<Turn> turns_;
};

}  // namespace sandgate::gateway
