// SPDX-License-Identifier: Apache-2.0
#include "gateway/module_call.h"

#include "platform/clock.h"
#include "platform/log.h"

namespace sandgate::gateway {

ModuleCall::ModuleCall(const modules::ModuleStore& store, const modules::DeployedModule& module,
                       const Exchange& exchange, modules::AttachPoint point)
    : store_(store),
      module_(module),
      exchange_(exchange),
      point_(point),
      unix_ns_(platform::unix_now_ns()),
      started_(exchange.loop().precise_now()) {
  module.access_count.fetch_add(1, std::memory_order_relaxed);
  module.last_accessed_unix_ns.store(unix_ns_, std::memory_order_relaxed);
}

void ModuleCall::count(bool success) const {
  Nanoseconds duration = exchange_.loop().precise_now() - started_;
  module_.stats.record(duration, success);
  store_.total_stats().record(duration, success);
}

void ModuleCall::log_failure(const sandbox::GuestFailure& failure) const {
  log::error("module {} failed in {}: {}: {}; request {}", module_.name, modules::attach_point_name(point_),
             sandbox::failure_kind_name(failure.kind), log::escaped(failure.detail), exchange_.id);
}

void ModuleCall::finish(const MiddlewareCalls::Outcome& outcome) const {
  if (outcome) return count(true);
  switch (outcome.error().kind) {
    case sandbox::FailureKind::kCancelled: return;
    case sandbox::FailureKind::kCapacity:
      log::warning("module {} was not run in {}: no instance is free; request {}", module_.name,
                   modules::attach_point_name(point_), exchange_.id);
      return;
    default: return fail(outcome.error());
  }
}

void ModuleCall::fail(const sandbox::GuestFailure& failure) const {
  count(false);
  log_failure(failure);
}

void ModuleCall::log_ignored(std::string_view what) const {
  log::warning("module {} in {}: its edit of {} was ignored, the gateway alone decides it; request {}", module_.name,
               modules::attach_point_name(point_), log::escaped(what), exchange_.id);
}

}  // namespace sandgate::gateway
