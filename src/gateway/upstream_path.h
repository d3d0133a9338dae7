// SPDX-License-Identifier: Apache-2.0
//
// Gives an upstream another path than the routes and modules saw.
#pragma once

#include "exchange/handler.h"

namespace sandgate::gateway {

enum class UpstreamPath : unsigned char {
  kWhole,  // the path as the routes see it
  kRest,   // what the route's rest captured, below "/"
  kRaw,    // the path as the client wrote it, unless a module changed it
};

class UpstreamPathHandler final : public Handler {
 public:
  // `next` outlives this.
  UpstreamPathHandler(UpstreamPath path, const Handler& next) : path_(path), next_(next) {}
  Task<Status> serve(Exchange& exchange) const override;

 private:
  UpstreamPath path_;
  const Handler& next_;
};

// The path of a target as received, without its query; empty when the target is no path (OPTIONS *, CONNECT).
std::string_view raw_path(std::string_view target);

}  // namespace sandgate::gateway
