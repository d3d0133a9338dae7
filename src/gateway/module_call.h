// SPDX-License-Identifier: Apache-2.0
//
// The books of one call of a module's hook: counters of the module and of the server, the step in the exchange's record
// (access log, Server-Timing), and the log line when it failed.
// Made just before the call, finished just after.
#pragma once

#include <cstdint>
#include <string_view>

#include "gateway/middleware_calls.h"
#include "modules/module_store.h"

namespace sandgate::gateway {

class ModuleCall {
 public:
  // Counts the access. All outlive the object.
  ModuleCall(const modules::ModuleStore& store, const HookCall& call);

  std::int64_t unix_ns() const { return unix_ns_; }
  // What to do when it fails.
  modules::OnFailure on_failure() const { return call_.module.options.on_failure_at(call_.point); }

  // Counts the execution. A cancelled call is nobody's fault and a call without a free instance never ran: neither is
  // counted.
  void finish(const MiddlewareCalls::Outcome& outcome);
  // A failure that is found outside the call: counted and logged.
  void fail(const sandbox::GuestFailure& failure);
  // An edit that only the gateway may make was left out.
  void log_ignored(std::string_view what) const;

 private:
  Nanoseconds duration() const { return call_.exchange.loop().precise_now() - started_; }
  void log_failure(const sandbox::GuestFailure& failure) const;
  void note(std::string_view outcome, Nanoseconds took);

  const modules::ModuleStore& store_;
  HookCall call_;
  std::int64_t unix_ns_;
  Nanoseconds started_;
};

}  // namespace sandgate::gateway
