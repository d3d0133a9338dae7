// SPDX-License-Identifier: Apache-2.0
#include "gateway/admission.h"

namespace sandgate::gateway {
namespace {

Task<Status> refuse() { co_return fail(ErrorKind::kOverloaded, "as many requests are being served as may be"); }

}  // namespace

Task<Status> Admission::serve_admitted(Exchange& exchange) const {
  Status status = co_await next_.serve(exchange);
  in_flight_.fetch_sub(1, std::memory_order_relaxed);
  co_return status;
}

// A request that is refused is counted for a moment, so two that meet at the bound may both be refused, but never one
// too many is served.
Task<Status> Admission::serve(Exchange& exchange) const {
  if (in_flight_.fetch_add(1, std::memory_order_relaxed) < most_) return serve_admitted(exchange);
  in_flight_.fetch_sub(1, std::memory_order_relaxed);
  refused_.fetch_add(1, std::memory_order_relaxed);
  return refuse();
}

}  // namespace sandgate::gateway
