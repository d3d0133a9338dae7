// SPDX-License-Identifier: Apache-2.0
//
// Middleware hooks run by guests, on the run queue of the exchange's loop, within a budget and the process's limit of
// running calls.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "gateway/guest_instances.h"
#include "gateway/middleware_calls.h"
#include "sandbox/call_limit.h"

namespace sandgate::gateway {

class GuestCalls final : public MiddlewareCalls {
 public:
  struct Options {
    sandbox::Budget budget;
    std::size_t warm_instances_max = 10;  // kept by each loop for reuse, of all modules together
  };

  // `queues` by loop index; all outlive this.
  GuestCalls(std::span<sandbox::RunQueue* const> queues, const GuestServices& services,
             const modules::ModuleStore& store, sandbox::CallLimit& limit, const Options& options);

  Task<Outcome> on_request(const HookCall& call, const abi::router_middleware::RequestRecord& record) const override;
  Task<Outcome> on_response(const HookCall& call, const abi::router_middleware::ResponseRecord& record) const override;

 private:
  struct LoopState {
    sandbox::RunQueue* queue;
    WarmInstances warm;
  };

  template <typename Record>
  Task<Outcome> run(HookCall call, const Record& record) const;
  std::unique_ptr<GuestInstance> kept_instance(const HookCall& call) const;
  void keep(const HookCall& call, std::unique_ptr<GuestInstance> instance) const;

  const GuestServices services_;
  sandbox::CallLimit& limit_;
  const sandbox::Budget budget_;
  mutable std::vector<LoopState> loops_;
};

}  // namespace sandgate::gateway
