// SPDX-License-Identifier: Apache-2.0
//
// The handler that forwards an exchange to an upstream server and streams the answer back. Nothing is buffered: each
// piece is passed on before the next is read, in both directions at once. Shared by all loops; what belongs to an
// exchange lives in the frame of serve().
//
// Another server is tried, each at most once and within the upstream's attempts and retry budget, when a connection
// cannot be made or closes before a byte of the request left; and, if the method is idempotent and there is no body,
// when it closes before a byte of the response. A kept connection that turns out dead is replaced by a fresh one to the
// same server, once, under the same conditions. Nothing else is repeated.
//
// A request that has passed too many gateways of this name (Via) is answered 508: its upstream leads back here.
//
// Errors of serve(): kUpstream (502: no connection, or a broken answer), kTimedOut (504), kOverloaded (503: every
// server is drained or has all the connections it may have, or no descriptor), what the exchange was cancelled with,
// and those of the client's own body (client_body_error.h). An answer that breaks after its head is aborted.
#pragma once

#include <memory>
#include <utility>

#include "exchange/handler.h"
#include "gateway/upstream.h"

namespace sandgate::gateway {

class Proxy final : public Handler {
 public:
  // Interim responses of one exchange; more are an upstream gone wrong.
  static constexpr int kInterimMax = 16;

  explicit Proxy(std::shared_ptr<Upstream> upstream) : upstream_(std::move(upstream)) {}

  Task<Status> serve(Exchange& exchange) const override;

 private:
  std::shared_ptr<Upstream> upstream_;
};

}  // namespace sandgate::gateway
