// SPDX-License-Identifier: Apache-2.0
//
// The one interface that carries everything: proxy, guest calls, static files, admin are handlers; a filter is a
// handler that owns the next one. Handlers are shared by all loops: const, with per-loop state indexed by
// exchange.loop().index(). serve() returns when the exchange has ended; an error means that nothing was committed and
// the caller answers with it (problem.h), or that the committed response was aborted.
#pragma once

#include "base/result.h"
#include "base/task.h"
#include "exchange/exchange.h"

namespace sandgate {

class Handler {
 public:
  virtual ~Handler() = default;
  virtual Task<Status> serve(Exchange& exchange) const = 0;
};

}  // namespace sandgate
