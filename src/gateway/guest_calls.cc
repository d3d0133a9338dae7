// SPDX-License-Identifier: Apache-2.0
#include "gateway/guest_calls.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace sandgate::gateway {
namespace {

using abi::router_middleware::RequestRecord;
using abi::router_middleware::ResponseRecord;
using modules::InstanceMode;
using sandbox::CallLimit;

Task<MiddlewareCalls::Outcome> start(sandbox::RunQueue& queue, sandbox::Instance& instance, const RequestRecord& record,
                                     Exchange& exchange) {
  return abi::router_middleware::on_request(queue, instance, record, exchange.arena(), exchange.cancellation);
}

Task<MiddlewareCalls::Outcome> start(sandbox::RunQueue& queue, sandbox::Instance& instance,
                                     const ResponseRecord& record, Exchange& exchange) {
  return abi::router_middleware::on_response(queue, instance, record, exchange.arena(), exchange.cancellation);
}

// The engine counts all that a call hands over, with room for fields beside the largest body: the body has its own
// limit.
MiddlewareCalls::Outcome checked_body(abi::router_middleware::Action action, std::uint64_t bytes_max) {
  if (!action.body || action.body->size() <= bytes_max) return action;
  return std::unexpected(sandbox::GuestFailure{
      sandbox::FailureKind::kTooLarge,
      fmt::format("the body has {} bytes; at most {} are allowed", action.body->size(), bytes_max)});
}

// The narrower of the server's budget and the module's own limits.
sandbox::Budget narrowed(sandbox::Budget budget, const modules::ModuleLimits& limits) {
  if (limits.memory_bytes != 0) budget.memory_bytes = std::min(budget.memory_bytes, limits.memory_bytes);
  if (limits.time_ms != 0) budget.wall = std::min(budget.wall, Milliseconds(limits.time_ms));
  Milliseconds cpu(limits.cpu_ms);
  if (cpu.count() != 0) budget.cpu = budget.cpu.count() == 0 ? cpu : std::min(budget.cpu, cpu);
  return budget;
}

}  // namespace

GuestCalls::GuestCalls(std::span<sandbox::RunQueue* const> queues, const GuestServices& services,
                       const modules::ModuleStore& store, sandbox::CallLimit& limit, const Options& options)
    : services_(services), limit_(limit), budget_(options.budget) {
  for (sandbox::RunQueue* queue : queues) loops_.push_back({queue, WarmInstances(store, options.warm_instances_max)});
}

std::unique_ptr<GuestInstance> GuestCalls::kept_instance(const HookCall& call) const {
  if (call.module.options.instance == InstanceMode::kExchange) {
    if (std::unique_ptr<GuestInstance> instance = call.instances.take(call.module)) return instance;
  }
  Loop& loop = call.exchange.loop();
  return loops_[loop.index()].warm.take(call.module, loop.now());
}

void GuestCalls::keep(const HookCall& call, std::unique_ptr<GuestInstance> instance) const {
  Loop& loop = call.exchange.loop();
  WarmInstances& warm = loops_[loop.index()].warm;
  switch (call.module.options.instance) {
    case InstanceMode::kFresh: return warm.keep_restored(call.module, std::move(instance), loop.now());
    case InstanceMode::kExchange: return call.instances.keep(call.module, std::move(instance), warm, loop);
    case InstanceMode::kReuse: return warm.keep(call.module, std::move(instance), loop.now());
  }
}

template <typename Record>
Task<MiddlewareCalls::Outcome> GuestCalls::run(HookCall call, const Record& record) const {
  Loop& loop = call.exchange.loop();
  modules::HookStats& stats = call.module.stats(call.point);
  if (call.module.module == nullptr) {
    co_return std::unexpected(
        sandbox::GuestFailure{sandbox::FailureKind::kInternal, "unavailable: " + call.module.unavailable});
  }
  CallLimit::Place place = limit_.try_enter();
  if (!place) {
    Nanoseconds queued = loop.precise_now();
    std::expected<CallLimit::Place, sandbox::GuestFailure> entered =
        co_await limit_.enter(loop, call.exchange.cancellation);
    stats.waited(loop.precise_now() - queued);
    if (!entered) co_return std::unexpected(std::move(entered.error()));
    place = std::move(*entered);
  }
  sandbox::RunQueue& queue = *loops_[loop.index()].queue;
  const sandbox::Budget budget = narrowed(budget_, call.module.options.limits);
  std::unique_ptr<GuestInstance> guest = kept_instance(call);
  if (guest == nullptr) guest = std::make_unique<GuestInstance>(services_, call, budget, queue, loop.now());
  if (!guest->instance) co_return std::unexpected(std::move(guest->instance.error()));
  guest->context.begin_call(call.exchange.id);
  ++guest->calls;
  Outcome outcome = co_await start(queue, *guest->instance, record, call.exchange);
  stats.used_memory(guest->instance->memory_peak_bytes());
  guest->context.end_call();
  if (outcome) outcome = checked_body(*outcome, budget_.output_bytes);
  // A failed instance is spent.
  if (outcome) keep(call, std::move(guest));
  co_return outcome;
}

Task<MiddlewareCalls::Outcome> GuestCalls::on_request(const HookCall& call, const RequestRecord& record) const {
  return run(call, record);
}

Task<MiddlewareCalls::Outcome> GuestCalls::on_response(const HookCall& call, const ResponseRecord& record) const {
  return run(call, record);
}

}  // namespace sandgate::gateway
