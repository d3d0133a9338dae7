// SPDX-License-Identifier: Apache-2.0
//
// The books of one call of a module's hook: counters of the module and of the server, and the log line when it failed.
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
  ModuleCall(const modules::ModuleStore& store, const modules::DeployedModule& module, const Exchange& exchange,
             modules::AttachPoint point);

  std::int64_t unix_ns() const { return unix_ns_; }

  // Counts the execution. A cancelled call is nobody's fault and a call without a free instance never ran: neither is
  // counted.
  void finish(const MiddlewareCalls::Outcome& outcome) const;
  // A failure that is found outside the call: counted and logged.
  void fail(const sandbox::GuestFailure& failure) const;
  // An edit that only the gateway may make was left out.
  void log_ignored(std::string_view what) const;

 private:
  void count(bool success) const;
  void log_failure(const sandbox::GuestFailure& failure) const;

  const modules::ModuleStore& store_;
  const modules::DeployedModule& module_;
  const Exchange& exchange_;
  modules::AttachPoint point_;
  std::int64_t unix_ns_;
  Nanoseconds started_;
};

}  // namespace sandgate::gateway
