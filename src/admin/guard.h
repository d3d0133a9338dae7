// SPDX-License-Identifier: Apache-2.0
//
// Stands before a handler that only the operator may reach and answers everyone else. Shared by all loops; immutable.
#pragma once

#include "admin/admin_access.h"
#include "exchange/handler.h"

namespace sandgate::admin {

class AdminGuard final : public Handler {
 public:
  // `next` outlives the guard.
  AdminGuard(AdminAccess access, const Handler& next) : access_(std::move(access)), next_(next) {}
  Task<Status> serve(Exchange& exchange) const override;

 private:
  AdminAccess access_;
  const Handler& next_;
};

class MetricsGuard final : public Handler {
 public:
  // `next` outlives the guard.
  explicit MetricsGuard(const Handler& next) : next_(next) {}
  Task<Status> serve(Exchange& exchange) const override;

 private:
  const Handler& next_;
};

}  // namespace sandgate::admin
