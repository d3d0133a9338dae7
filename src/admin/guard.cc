// SPDX-License-Identifier: Apache-2.0
#include "admin/guard.h"

#include <optional>

#include "exchange/problem.h"
#include "platform/log.h"

namespace sandgate::admin {
namespace {

// `refusal` is by value: its texts are static.
Task<Status> answer(Exchange& exchange, std::optional<Problem> refusal, const Handler& next) {
  if (refusal) {
    // Not louder: the access log has it, and anyone can cause it.
    log::debug("request {}: {} {} from {} refused with {}", log::escaped(exchange.id),
               log::escaped(exchange.request.method, 32), log::escaped(exchange.request.path, 256),
               exchange.peer.address, refusal->status);
    Status done = co_await respond_problem(exchange, *refusal);
    co_return done;
  }
  Status done = co_await next.serve(exchange);
  co_return done;
}

}  // namespace

Task<Status> AdminGuard::serve(Exchange& exchange) const {
  return answer(exchange, refuse_admin(exchange, access_), next_);
}

Task<Status> MetricsGuard::serve(Exchange& exchange) const { return answer(exchange, refuse_metrics(exchange), next_); }

}  // namespace sandgate::admin
