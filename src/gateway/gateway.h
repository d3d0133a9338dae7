// SPDX-License-Identifier: Apache-2.0
//
// The first handler of every exchange: gives it its id, client and one spelling of its path, answers what is the
// gateway's own (built-in endpoints, OPTIONS *, methods it does not serve), hands everything else on, and answers
// errors that come back. Shared by all loops; request ids are made per loop.
//
// Endpoints get the request as it was received, and as client the peer: only what goes on is looked at through trusted
// proxies (forwarding_fields.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "exchange/handler.h"
#include "gateway/forwarding_fields.h"
#include "gateway/observer.h"
#include "gateway/server_timing.h"
#include "gateway/trace_context.h"
#include "platform/entropy.h"

namespace sandgate::gateway {

// A reserved path. What is not in the table goes upstream, so an endpoint is turned off by leaving it out.
struct Endpoint {
  enum class Match : unsigned char {
    kPath,  // this path only
    kTree,  // this path and everything below it
  };
  std::string_view path;  // normal form, without a slash at the end; static text
  Match match = Match::kPath;
  const Handler* handler = nullptr;  // outlives the gateway
};

struct GatewaySettings {
  ForwardingFields forwarding;
  std::vector<Endpoint> endpoints;
  ExchangeObserver* observer = nullptr;  // may be null; outlives the gateway
  TraceContext trace_context = TraceContext::kKeep;
  ServerTimingRule server_timing = ServerTimingRule::kOff;
};

class Gateway final : public Handler {
 public:
  // `next` serves what is not the gateway's own, and outlives it. `loops` is their number.
  Gateway(GatewaySettings settings, const Handler& next, std::size_t loops);

  // Errors are answered here; what is returned is for the connection: whether the exchange ended well.
  Task<Status> serve(Exchange& exchange) const override;

 private:
  // A cache line each: every request writes the counter.
  struct alignas(64) LoopState {
    platform::RequestIds ids;
  };

  void prepare(Exchange& exchange) const;
  Task<Status> route(Exchange& exchange, std::optional<ServerTiming>& timing) const;
  bool tells_times(const Exchange& exchange) const;
  const Handler& handler_of(std::string_view path) const;

  GatewaySettings settings_;
  const Handler& next_;
  mutable std::vector<LoopState> loops_;
};

}  // namespace sandgate::gateway
