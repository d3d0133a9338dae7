// SPDX-License-Identifier: Apache-2.0
//
// Hands exchanges to a handler that can be replaced while requests run: those that began finish on the handler they
// began with, which lives until the last of them ends. A configuration that is reloaded is such a handler.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "exchange/handler.h"

namespace sandgate::gateway {

class HandlerSwitch final : public Handler {
 public:
  // The loops, by index, outlive this.
  explicit HandlerSwitch(std::span<Loop* const> loops);

  // From any thread. Requests that begin after this returns go to `next`, and those that a loop takes at the same
  // moment to one or the other. Loops without requests let go of the handler before soon, too.
  void set(std::shared_ptr<const Handler> next);

  // set() was called before.
  Task<Status> serve(Exchange& exchange) const override;

 private:
  // Counts references for one loop alone, so that loops do not share a cache line for every request.
  struct Hold {
    std::shared_ptr<const Handler> handler;
  };
  struct alignas(64) LoopState {
    std::shared_ptr<const Hold> hold;
    std::uint64_t version = 0;
  };

  const std::shared_ptr<const Hold>& current(unsigned loop) const;

  std::vector<Loop*> all_loops_;
  mutable std::vector<LoopState> loops_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Handler> latest_;  // guarded by the mutex
  std::atomic<std::uint64_t> version_{0};
};

}  // namespace sandgate::gateway
