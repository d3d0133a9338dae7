// SPDX-License-Identifier: Apache-2.0
//
// Puts modules around a route's handler: those deployed through the API at this moment, then the route's own. Without
// modules an exchange goes straight on: nothing is buffered, nothing allocated.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "exchange/handler.h"
#include "gateway/middleware.h"
#include "modules/module_store.h"

namespace sandgate::gateway {

class Chain final : public Handler {
 public:
  using Uses = std::vector<std::shared_ptr<const modules::DeployedModule>>;
  // Whether what the API deployed runs here.
  enum class Deployed : bool { kLeftOut, kRun };

  // All outlive the chain; `next` is also what `middleware` goes around. `loops` is their number.
  Chain(const modules::ModuleStore& store, Deployed deployed, Uses uses, const Middleware& middleware,
        const Handler& next, std::size_t loops);

  Task<Status> serve(Exchange& exchange) const override;

 private:
  struct alignas(64) LoopState {
    modules::SnapshotReader deployed;
    std::shared_ptr<const modules::Snapshot> seen{};    // what `joined` was made from
    std::shared_ptr<const modules::Snapshot> joined{};  // with the route's own modules
  };

  const std::shared_ptr<const modules::Snapshot>& current(LoopState& state) const;

  const Deployed deployed_;
  const Uses uses_;
  const Middleware& middleware_;
  const Handler& next_;
  mutable std::vector<LoopState> loops_;
};

}  // namespace sandgate::gateway
