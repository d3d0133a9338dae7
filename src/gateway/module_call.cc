// SPDX-License-Identifier: Apache-2.0
#include "gateway/module_call.h"

#include "platform/clock.h"
#include "platform/log.h"

namespace sandgate::gateway {
namespace {

using abi::router_middleware::Action;
using modules::Decision;

Decision decision_of(const Action& action) {
  switch (action.kind) {
    case Action::Kind::kContinue: return Decision::kContinue;
    case Action::Kind::kReject: return Decision::kReject;
    case Action::Kind::kModify: return Decision::kModify;
  }
  return Decision::kContinue;
}

}  // namespace

ModuleCall::ModuleCall(const modules::ModuleStore& store, const HookCall& call)
    : store_(store), call_(call), unix_ns_(platform::unix_now_ns()), started_(call.exchange.loop().precise_now()) {
  call.module.counters->access_count.fetch_add(1, std::memory_order_relaxed);
  call.module.counters->last_accessed_unix_ns.store(unix_ns_, std::memory_order_relaxed);
}

void ModuleCall::log_failure(const sandbox::GuestFailure& failure) const {
  log::error("module {} failed in {}: {}: {}; request {}", call_.module.name, modules::attach_point_name(call_.point),
             sandbox::failure_kind_name(failure.kind), log::escaped(failure.detail), call_.exchange.id);
}

void ModuleCall::finish(const MiddlewareCalls::Outcome& outcome) {
  modules::HookStats& stats = call_.module.stats(call_.point);
  if (outcome) {
    Nanoseconds took = duration();
    Decision decision = decision_of(*outcome);
    stats.decided(decision, took);
    store_.total_stats().record(took, true);
    note(modules::kDecisionNames[static_cast<std::size_t>(decision)], took);
    return;
  }
  const sandbox::GuestFailure& failure = outcome.error();
  switch (failure.kind) {
    case sandbox::FailureKind::kCancelled: return stats.not_run(failure.kind);
    case sandbox::FailureKind::kCapacity:
      stats.not_run(failure.kind);
      note("not_run", Nanoseconds(0));
      log::warning("module {} was not run in {}: {}; request {}", call_.module.name,
                   modules::attach_point_name(call_.point), log::escaped(failure.detail), call_.exchange.id);
      return;
    default: return fail(failure);
  }
}

void ModuleCall::fail(const sandbox::GuestFailure& failure) {
  Nanoseconds took = duration();
  call_.module.stats(call_.point).failed(failure.kind, took);
  store_.total_stats().record(took, false);
  note(sandbox::failure_kind_name(failure.kind), took);
  log_failure(failure);
}

// The module's name goes with the exchange's text: the log line is written when the module may be gone.
void ModuleCall::note(std::string_view outcome, Nanoseconds took) {
  ExchangeRecord& record = call_.exchange.record;
  if (!record.keeps_steps) return;
  Arena& arena = call_.exchange.arena();
  auto* step = new (arena.allocate(sizeof(ExchangeStep), alignof(ExchangeStep)))
      ExchangeStep{.module = arena.copy(call_.module.name),
                   .point = modules::attach_point_name(call_.point),
                   .outcome = outcome,
                   .took = took};
  record.append(*step);
}

void ModuleCall::log_ignored(std::string_view what) const {
  log::warning("module {} in {}: its edit of {} was ignored, the gateway alone decides it; request {}",
               call_.module.name, modules::attach_point_name(call_.point), log::escaped(what), call_.exchange.id);
}

}  // namespace sandgate::gateway
