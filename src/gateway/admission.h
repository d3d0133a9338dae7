// SPDX-License-Identifier: Apache-2.0
//
// A bound on the requests that are served at one time, over all loops. One that comes above it is answered 503 with
// Retry-After at once: who waits in a queue has often left before its turn. A WebSocket counts as long as it is open.
// Stands behind the gateway's own endpoints, so that a probe of a busy server still says that it lives.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "exchange/handler.h"

namespace sandgate::gateway {

class Admission final : public Handler {
 public:
  // `most` requests at one time, at least 1. `next` outlives this.
  Admission(std::size_t most, const Handler& next) : most_(most), next_(next) {}

  // kOverloaded when as many are served as may be; else what `next` says.
  Task<Status> serve(Exchange& exchange) const override;

  // Any thread.
  std::size_t in_flight() const { return in_flight_.load(std::memory_order_relaxed); }
  std::uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }

 private:
  Task<Status> serve_admitted(Exchange& exchange) const;

  const std::size_t most_;
  const Handler& next_;
  // One word that all loops write: some 50 ns for a request when they fight for it, and only where there is a bound.
  alignas(64) mutable std::atomic<std::size_t> in_flight_{0};
  alignas(64) mutable std::atomic<std::uint64_t> refused_{0};
};

}  // namespace sandgate::gateway
