// SPDX-License-Identifier: Apache-2.0
#include "gateway/upstream_path.h"

#include <optional>

#include "http/target.h"

namespace sandgate::gateway {

std::string_view raw_path(std::string_view target) {
  std::size_t scheme = target.find("://");
  if (scheme != std::string_view::npos && !target.starts_with('/')) {
    std::size_t path = target.find('/', scheme + 3);
    target = path == std::string_view::npos ? std::string_view() : target.substr(path);
  }
  if (!target.starts_with('/')) return {};
  return target.substr(0, target.find('?'));
}

// No coroutine of its own. The edit stays: nobody looks at the request after its upstream did.
Task<Status> UpstreamPathHandler::serve(Exchange& exchange) const {
  http::RequestHead& request = exchange.request;
  if (path_ == UpstreamPath::kRest) {
    request.path = exchange.arena().join("/", exchange.route.rest);
  } else if (path_ == UpstreamPath::kRaw) {
    std::string_view raw = raw_path(exchange.target);
    std::optional<std::string_view> normal = http::normalise_path(raw, exchange.arena());
    if (normal && *normal == request.path) request.path = raw;
  }
  return next_.serve(exchange);
}

}  // namespace sandgate::gateway
