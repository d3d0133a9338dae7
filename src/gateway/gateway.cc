// SPDX-License-Identifier: Apache-2.0
#include "gateway/gateway.h"

#include <utility>

#include "exchange/problem.h"
#include "gateway/error_log.h"
#include "gateway/request_id.h"
#include "http/target.h"
#include "platform/clock.h"

namespace sandgate::gateway {
namespace {

constexpr std::string_view kAllowedMethods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

std::string_view received_target(Exchange& exchange) {
  const http::RequestHead& request = exchange.request;
  if (request.is_connect()) return request.authority;
  if (!request.has_query) return request.path;
  return exchange.arena().join(request.path, "?", request.query);
}

// TRACE would show a client what the gateway and its modules added to the request (RFC 9110 section 9.3.8).
Task<Status> refuse_trace(Exchange& exchange) {
  Status answered = co_await respond_problem(
      exchange,
      {.status = 405, .error = "method_not_allowed", .detail = "TRACE is not served here", .allow = kAllowedMethods});
  co_return answered;
}

Task<Status> refuse(ErrorKind kind, std::string_view detail) { co_return fail(kind, std::string(detail)); }

// OPTIONS * is about the server as a whole, which is the gateway (RFC 9110 section 9.3.7).
Task<Status> answer_options(Exchange& exchange) {
  http::Fields extra(exchange.arena());
  extra.add("allow", kAllowedMethods);
  Status answered = co_await respond(exchange, 204, {}, {}, &extra);
  co_return answered;
}

// Whether nobody is left to answer.
bool client_left(const Exchange& exchange, const Error& error) {
  if (error.kind == ErrorKind::kDisconnected) return true;
  return exchange.cancellation.cancelled() && exchange.cancellation.kind() == ErrorKind::kDisconnected;
}

// Answers `error` if that is still possible.
Task<Status> answer_error(Exchange& exchange, Error error) {
  if (exchange.record.error.empty()) exchange.record.error = exchange.arena().copy(error.detail);
  if (client_left(exchange, error)) {
    exchange.sink().abort();
    co_return fail(std::move(error));
  }
  log_exchange_error(exchange, error);
  Status answered = co_await respond_error(exchange, error);
  co_return answered;
}

}  // namespace

Gateway::Gateway(GatewaySettings settings, const Handler& next, std::size_t loops)
    : settings_(std::move(settings)), next_(next), loops_(loops) {}

void Gateway::prepare(Exchange& exchange) const {
  if (exchange.started == Nanoseconds(0)) exchange.started = exchange.loop().precise_now();
  if (exchange.received_unix_ms == 0) exchange.received_unix_ms = platform::unix_now_ms();
  if (exchange.target.empty()) exchange.target = received_target(exchange);
  exchange.client = exchange.peer.address;
  assign_request_id(exchange, loops_[exchange.loop().index()].ids);
}

const Handler& Gateway::handler_of(std::string_view path) const {
  for (const Endpoint& endpoint : settings_.endpoints) {
    if (!path.starts_with(endpoint.path)) continue;
    if (path.size() == endpoint.path.size()) return *endpoint.handler;
    if (endpoint.match == Endpoint::Match::kTree && path[endpoint.path.size()] == '/') return *endpoint.handler;
  }
  return next_;
}

// After its client is known. Behind a trusted proxy that is whom the proxy names.
bool Gateway::tells_times(const Exchange& exchange) const {
  if (settings_.server_timing != ServerTimingRule::kOnRequest)
    return settings_.server_timing == ServerTimingRule::kAlways;
  return ServerTiming::asked_for(exchange) && settings_.forwarding.trusts_client(exchange);
}

// `timing` lives as long as the exchange is served.
Task<Status> Gateway::route(Exchange& exchange, std::optional<ServerTiming>& timing) const {
  http::RequestHead& request = exchange.request;
  if (request.is_connect()) return refuse(ErrorKind::kUnsupported, "CONNECT is not served here");
  if (request.method == "TRACE") return refuse_trace(exchange);
  if (request.path == "*") {
    if (request.method == "OPTIONS") return answer_options(exchange);
    return refuse(ErrorKind::kInvalid, "only OPTIONS may have * as its target");
  }
  std::optional<std::string_view> path = http::normalise_path(request.path, exchange.arena());
  if (!path)
    return refuse(ErrorKind::kInvalid, "the path contains a backslash, a control byte or a broken percent-encoding");
  request.path = *path;
  const Handler& handler = handler_of(*path);
  // The gateway's own endpoints judge a request as it was received: a forwarding field tells them of a proxy between.
  if (&handler == &next_) {
    settings_.forwarding.apply(exchange);
    if (settings_.trace_context == TraceContext::kCreate) begin_trace(exchange, loops_[exchange.loop().index()].ids);
    if (tells_times(exchange)) timing.emplace(exchange);
  }
  return handler.serve(exchange);
}

Task<Status> Gateway::serve(Exchange& exchange) const {
  prepare(exchange);
  if (settings_.observer != nullptr) settings_.observer->began(exchange);
  std::optional<ServerTiming> timing;
  Status status = co_await route(exchange, timing);
  if (!status) status = co_await answer_error(exchange, std::move(status.error()));
  timing.reset();
  if (settings_.observer != nullptr)
    settings_.observer->ended(exchange, exchange.loop().precise_now() - exchange.started);
  co_return status;
}

}  // namespace sandgate::gateway
