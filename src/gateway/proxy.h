// SPDX-License-Identifier: Apache-2.0
//
// The handler that forwards an exchange to an upstream server and streams the answer back. Nothing is buffered: each
// piece is passed on before the next is read, in both directions at once. Shared by all loops; what belongs to an
// exchange lives in the frame of serve().
//
// Another server is tried when a connection cannot be made, each at most once. A kept connection that turns out dead is
// replaced by a fresh one, once, if no byte of the request left, or if the method is idempotent and there is no body;
// in both cases only before a byte of the response. Nothing else is repeated.
//
// A request that has passed too many gateways of this name (Via) is answered 508: its upstream leads back here.
//
// Errors of serve(): kUpstream (502: no connection, or a broken answer), kTimedOut (504), kOverloaded (503: no
// descriptor), what the exchange was cancelled with, and those of the client's own body (client_body_error.h). An
// answer that breaks after its head is aborted.
#pragma once

#include <cstddef>

#include "exchange/handler.h"
#include "gateway/balancer.h"
#include "gateway/upstream.h"

namespace sandgate::gateway {

class Proxy final : public Handler {
 public:
  // Interim responses of one exchange; more are an upstream gone wrong.
  static constexpr int kInterimMax = 16;

  // `upstream` outlives the proxy; `loops` is their number.
  Proxy(const Upstream& upstream, std::size_t loops) : balancer_(upstream, loops) {}

  Task<Status> serve(Exchange& exchange) const override;

 private:
  Balancer balancer_;
};

}  // namespace sandgate::gateway
