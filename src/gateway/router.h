// SPDX-License-Identifier: Apache-2.0
//
// Hands each exchange to the handler of its route. Answers itself when there is none: 404, or 405 with Allow when only
// the method does not fit. Immutable, shared by all loops.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "exchange/handler.h"
#include "routing/route_table.h"

namespace sandgate::gateway {

class Router final : public Handler {
 public:
  struct Route {
    std::string name;
    const Handler* handler = nullptr;          // outlives the router
    telemetry::RouteCounts* counts = nullptr;  // outlives the exchanges; null: nobody counts
  };

  // As many routes as the table has rules.
  Router(routing::RouteTable table, std::vector<Route> routes);

  // Sets exchange.route. The path is in its normal form.
  Task<Status> serve(Exchange& exchange) const override;

 private:
  void note(Exchange& exchange, const routing::RouteTable::Match& match) const;

  routing::RouteTable table_;
  std::vector<Route> routes_;
};

}  // namespace sandgate::gateway
