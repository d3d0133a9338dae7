// SPDX-License-Identifier: Apache-2.0
//
// API keys for everything under /api and /v1. The key comes as
//   Authorization: Bearer KEY,   Authorization: ApiKey KEY,   or   X-Api-Key: KEY
// and anything else is answered 401. A field Authorization of one of the two schemes decides alone, right or wrong;
// with any other scheme, or without the field, X-Api-Key does.
#include <sandgate/middleware.h>

using namespace sandgate::guest;

namespace {

constexpr std::string_view kApiKey = "secret-api-key-12345";

bool is_protected(std::string_view path) { return path.starts_with("/api") || path.starts_with("/v1"); }

std::optional<std::string_view> presented_key(const Request& request) {
  if (const auto authorization = request.header("authorization")) {
    for (const std::string_view scheme : {std::string_view("Bearer "), std::string_view("ApiKey ")}) {
      if (authorization->starts_with(scheme)) return authorization->substr(scheme.size());
    }
  }
  return request.header("x-api-key");
}

Action on_request(const Request& request) {
  if (!is_protected(request.path)) return proceed();
  const auto key = presented_key(request);
  if (!key || !equal_constant_time(*key, kApiKey)) return reject(401);
  return proceed();
}

}  // namespace

SANDGATE_ON_REQUEST(on_request)
