// SPDX-License-Identifier: Apache-2.0
//
// Puts the modules deployed at this moment around the proxy. Without modules an exchange goes straight on: nothing is
// buffered, nothing allocated.
#pragma once

#include <cstddef>
#include <vector>

#include "exchange/handler.h"
#include "gateway/middleware.h"
#include "modules/module_store.h"

namespace sandgate::gateway {

class Chain final : public Handler {
 public:
  // All outlive the chain. `loops` is their number.
  Chain(const MiddlewareCalls& calls, const modules::ModuleStore& store, const MiddlewareSettings& settings,
        const Handler& next, std::size_t loops);

  Task<Status> serve(Exchange& exchange) const override;

 private:
  struct alignas(64) LoopState {
    modules::SnapshotReader modules;
  };

  Middleware middleware_;
  const Handler& next_;
  mutable std::vector<LoopState> loops_;
};

}  // namespace sandgate::gateway
