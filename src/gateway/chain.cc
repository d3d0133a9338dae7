// SPDX-License-Identifier: Apache-2.0
#include "gateway/chain.h"

#include <memory>

namespace sandgate::gateway {

Chain::Chain(const modules::ModuleStore& store, const Middleware& middleware, const Handler& next, std::size_t loops)
    : middleware_(middleware), next_(next) {
  loops_.reserve(loops);
  for (std::size_t i = 0; i < loops; ++i) loops_.push_back({modules::SnapshotReader(store)});
}

// No coroutine of its own.
Task<Status> Chain::serve(Exchange& exchange) const {
  const std::shared_ptr<const modules::Snapshot>& snapshot = loops_[exchange.loop().index()].modules.current();
  if (snapshot->runs_nothing()) return next_.serve(exchange);
  return middleware_.serve(exchange, snapshot);
}

}  // namespace sandgate::gateway
