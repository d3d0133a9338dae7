// SPDX-License-Identifier: Apache-2.0
#include "gateway/fixed_response.h"

#include "exchange/problem.h"

namespace sandgate::gateway {

FixedResponse::FixedResponse(FixedResponseOptions options) : options_(std::move(options)) {
  if (options_.content_type.empty() && !options_.body.empty()) options_.content_type = "text/plain; charset=utf-8";
}

// The handler lives as long as the exchange, so its text needs no copy.
Task<Status> FixedResponse::serve(Exchange& exchange) const {
  http::Fields extra(exchange.arena());
  for (const auto& [name, value] : options_.fields) extra.add(name, value);
  Status answered = co_await respond(exchange, options_.status, options_.content_type, options_.body, &extra);
  co_return answered;
}

}  // namespace sandgate::gateway
