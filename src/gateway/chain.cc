// SPDX-License-Identifier: Apache-2.0
#include "gateway/chain.h"

#include <memory>
#include <utility>

namespace sandgate::gateway {

Chain::Chain(const modules::ModuleStore& store, Deployed deployed, Uses uses, const Middleware& middleware,
             const Handler& next, std::size_t loops)
    : deployed_(deployed), uses_(std::move(uses)), middleware_(middleware), next_(next) {
  loops_.reserve(loops);
  for (std::size_t i = 0; i < loops; ++i) loops_.push_back({modules::SnapshotReader(store)});
}

const std::shared_ptr<const modules::Snapshot>& Chain::current(LoopState& state) const {
  const std::shared_ptr<const modules::Snapshot>& deployed = state.deployed.current();
  if (deployed_ == Deployed::kRun && uses_.empty()) return deployed;
  if (state.seen != deployed || state.joined == nullptr) {
    auto joined = std::make_shared<modules::Snapshot>();
    if (deployed_ == Deployed::kRun) *joined = *deployed;
    for (const auto& module : uses_) joined->append_hooks(module);
    state.joined = std::move(joined);
    state.seen = deployed;
  }
  return state.joined;
}

// No coroutine of its own.
Task<Status> Chain::serve(Exchange& exchange) const {
  const std::shared_ptr<const modules::Snapshot>& snapshot = current(loops_[exchange.loop().index()]);
  if (snapshot->runs_nothing()) return next_.serve(exchange);
  return middleware_.serve(exchange, snapshot);
}

}  // namespace sandgate::gateway
