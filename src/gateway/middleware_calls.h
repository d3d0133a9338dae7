// SPDX-License-Identifier: Apache-2.0
//
// How a module's hook is called. One implementation runs guests (guest_calls.h); tests have another that follows a
// script. Shared by all loops.
#pragma once

#include "abi/router_middleware/calls.h"
#include "base/task.h"
#include "exchange/exchange.h"
#include "modules/module_store.h"

namespace sandgate::gateway {

class MiddlewareCalls {
 public:
  using Outcome = abi::router_middleware::Outcome;

  virtual ~MiddlewareCalls() = default;
  // Everything referred to outlives the Task. The action's text is in the exchange's arena. Ends with kCancelled when
  // the exchange is cancelled.
  virtual Task<Outcome> on_request(const modules::DeployedModule& module, Exchange& exchange,
                                   const abi::router_middleware::RequestRecord& record) const = 0;
  virtual Task<Outcome> on_response(const modules::DeployedModule& module, Exchange& exchange,
                                    const abi::router_middleware::ResponseRecord& record) const = 0;
};

}  // namespace sandgate::gateway
