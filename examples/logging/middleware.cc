// SPDX-License-Identifier: Apache-2.0
//
// Marks what passes: each request is tagged on its way to the worker, and an answer 500 becomes 503, which clients and
// load balancers take as "try again". The log has a line for each of these.
#include <sandgate/host.h>
#include <sandgate/middleware.h>

using namespace sandgate::guest;

namespace {

bool is_api_route(std::string_view path) { return path.starts_with("/api") || path.starts_with("/v1"); }

// A decimal number in memory of the call.
std::string_view decimal(std::uint64_t number) {
  constexpr std::size_t kDigitsMax = 20;
  char* end = static_cast<char*>(memory().allocate(kDigitsMax, 1)) + kDigitsMax;
  char* at = end;
  do {
    *--at = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  return {at, static_cast<std::size_t>(end - at)};
}

Action on_request(const Request& request) {
  Action action = proceed();
  action.set_header("x-request-id", request.request_id);
  action.set_header("x-wasm-processed", "true");
  action.set_header("x-processed-at", decimal(request.now_epoch_ms));
  if (is_api_route(request.path)) action.set_header("x-api-route", "true");
  return action;
}

Action on_response(const Response& response) {
  if (response.status != 500) return proceed();
  log(Level::warn, "status", "500 from the worker becomes 503");
  return proceed().status(503);
}

}  // namespace

SANDGATE_ON_REQUEST(on_request)
SANDGATE_ON_RESPONSE(on_response)
