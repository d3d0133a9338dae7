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
  // All outlive the chain; `next` is also what `middleware` goes around. `loops` is their number.
  Chain(const modules::ModuleStore& store, const Middleware& middleware, const Handler& next, std::size_t loops);

  Task<Status> serve(Exchange& exchange) const override;

 private:
  struct alignas(64) LoopState {
    modules::SnapshotReader modules;
  };

  const Middleware& middleware_;
  const Handler& next_;
  mutable std::vector<LoopState> loops_;
};

}  // namespace sandgate::gateway
