// SPDX-License-Identifier: Apache-2.0
//
// Who wants to know about every exchange: access log, metrics. Called on the loop thread of the exchange, between the
// parsing of its head and the next request of its connection, so implementations are quick and never wait. Shared by
// all loops.
#pragma once

#include "base/loop.h"
#include "exchange/exchange.h"

namespace sandgate::gateway {

class ExchangeObserver {
 public:
  virtual ~ExchangeObserver() = default;
  // The id is set and the client is the peer; trusted proxies are looked through later, and no handler has run.
  virtual void began(Exchange& exchange) = 0;
  // The handler has returned and an error was answered. exchange.record says what happened; status 0 means that nothing
  // was sent.
  virtual void ended(Exchange& exchange, Nanoseconds duration) = 0;
};

}  // namespace sandgate::gateway
