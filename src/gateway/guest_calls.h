// SPDX-License-Identifier: Apache-2.0
//
// Middleware hooks run by guests: a fresh instance for each call, on the run queue of the exchange's loop, within a
// budget.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "gateway/middleware_calls.h"

namespace sandgate::gateway {

class GuestCalls final : public MiddlewareCalls {
 public:
  // `queues` by loop index; they outlive this.
  GuestCalls(std::span<sandbox::RunQueue* const> queues, const sandbox::Budget& budget)
      : queues_(queues.begin(), queues.end()), budget_(budget) {}

  Task<Outcome> on_request(const modules::DeployedModule& module, Exchange& exchange,
                           const abi::router_middleware::RequestRecord& record) const override;
  Task<Outcome> on_response(const modules::DeployedModule& module, Exchange& exchange,
                            const abi::router_middleware::ResponseRecord& record) const override;

 private:
  std::vector<sandbox::RunQueue*> queues_;
  sandbox::Budget budget_;
};

}  // namespace sandgate::gateway
