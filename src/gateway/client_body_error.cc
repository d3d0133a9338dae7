// SPDX-License-Identifier: Apache-2.0
#include "gateway/client_body_error.h"

#include "exchange/problem.h"

namespace sandgate::gateway {

Task<Status> refuse_client_body(Exchange& exchange, const Error& error) {
  if (exchange.sink().committed()) {
    exchange.sink().abort();
    co_return fail(error);
  }
  if (error.kind != ErrorKind::kTimedOut) co_return fail(error);
  Status answered =
      co_await respond_problem(exchange, {.status = 408, .error = error_kind_name(error.kind), .detail = error.detail});
  co_return answered;
}

}  // namespace sandgate::gateway
