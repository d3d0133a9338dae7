// SPDX-License-Identifier: Apache-2.0
#include "gateway/guest_calls.h"

#include <utility>

#include "modules/guest_log.h"

namespace sandgate::gateway {

using abi::router_middleware::RequestRecord;
using abi::router_middleware::ResponseRecord;

Task<MiddlewareCalls::Outcome> GuestCalls::on_request(const modules::DeployedModule& module, Exchange& exchange,
                                                      const RequestRecord& record) const {
  sandbox::RunQueue& queue = *queues_[exchange.loop().index()];
  modules::CallLog call{.module_name = module.name, .request_id = exchange.id};
  std::expected<sandbox::Instance, sandbox::GuestFailure> instance =
      sandbox::Instance::create(*module.module, budget_, queue, &call);
  if (!instance) co_return std::unexpected(std::move(instance.error()));
  Outcome outcome =
      co_await abi::router_middleware::on_request(queue, *instance, record, exchange.arena(), exchange.cancellation);
  co_return outcome;
}

Task<MiddlewareCalls::Outcome> GuestCalls::on_response(const modules::DeployedModule& module, Exchange& exchange,
                                                       const ResponseRecord& record) const {
  sandbox::RunQueue& queue = *queues_[exchange.loop().index()];
  modules::CallLog call{.module_name = module.name, .request_id = exchange.id};
  std::expected<sandbox::Instance, sandbox::GuestFailure> instance =
      sandbox::Instance::create(*module.module, budget_, queue, &call);
  if (!instance) co_return std::unexpected(std::move(instance.error()));
  Outcome outcome =
      co_await abi::router_middleware::on_response(queue, *instance, record, exchange.arena(), exchange.cancellation);
  co_return outcome;
}

}  // namespace sandgate::gateway
