// SPDX-License-Identifier: Apache-2.0
#include "gateway/router.h"

#include <span>
#include <utility>

#include "base/check.h"
#include "exchange/problem.h"

namespace sandgate::gateway {
namespace {

using Outcome = routing::RouteTable::Outcome;

Task<Status> refuse_path() { co_return fail(ErrorKind::kNotFound, "no route serves this path"); }

// `allow` lives in the exchange's arena.
Task<Status> refuse_method(Exchange& exchange, std::string_view allow) {
  Status answered = co_await respond_problem(exchange, {.status = 405,
                                                        .error = "method_not_allowed",
                                                        .detail = "this path is served with other methods only",
                                                        .allow = allow});
  co_return answered;
}

}  // namespace

Router::Router(routing::RouteTable table, std::vector<Route> routes)
    : table_(std::move(table)), routes_(std::move(routes)) {
  SANDGATE_CHECK(routes_.size() == table_.rules().size());
}

// Text goes to the arena: the record is read after a reload may have taken the router away.
void Router::note(Exchange& exchange, const routing::RouteTable::Match& match) const {
  Arena& arena = exchange.arena();
  exchange.route.name = arena.copy(routes_[match.route].name);
  exchange.route.counts = routes_[match.route].counts;
  exchange.route.rest = exchange.request.path.substr(1);
  if (match.captures.count == 0) return;
  const routing::PathPattern& path = table_.rules()[match.route].path;
  std::span<RouteParameter> parameters = arena.allocate_array<RouteParameter>(match.captures.count);
  for (std::size_t i = 0; i < match.captures.count; ++i) {
    parameters[i] = {arena.copy(path.names()[i]), match.captures.values[i]};
  }
  exchange.route.parameters = parameters;
  if (path.has_rest()) exchange.route.rest = match.captures.values[match.captures.count - 1];
}

Task<Status> Router::serve(Exchange& exchange) const {
  routing::RouteTable::Match match = table_.find(exchange.request);
  if (match.outcome == Outcome::kNoRoute) return refuse_path();
  if (match.outcome == Outcome::kNoMethod)
    return refuse_method(exchange, exchange.arena().copy(table_.allowed_methods(exchange.request)));
  note(exchange, match);
  return routes_[match.route].handler->serve(exchange);
}

}  // namespace sandgate::gateway
