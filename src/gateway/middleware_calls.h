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

class ExchangeInstances;

// One call of a hook. Everything referred to outlives the Task of the call.
struct HookCall {
  const modules::DeployedModule& module;
  modules::AttachPoint point;
  Exchange& exchange;
  ExchangeInstances& instances;  // what the exchange keeps
};

class MiddlewareCalls {
 public:
  using Outcome = abi::router_middleware::Outcome;

  virtual ~MiddlewareCalls() = default;
  // The action's text is in the exchange's arena. Ends with kCancelled when the exchange is cancelled.
  virtual Task<Outcome> on_request(const HookCall& call, const abi::router_middleware::RequestRecord& record) const = 0;
  // Serves OnError as well: there the response is the gateway's own.
  virtual Task<Outcome> on_response(const HookCall& call,
                                    const abi::router_middleware::ResponseRecord& record) const = 0;
};

}  // namespace sandgate::gateway
