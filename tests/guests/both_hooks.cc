// SPDX-License-Identifier: Apache-2.0
//
// x-request-hook on the request, x-response-hook and x-upstream-status on the response.
#include <sandgate/middleware.h>

using namespace sandgate::guest;

static Action on_request(const Request&) { return proceed().set_header("x-request-hook", "1"); }
static Action on_response(const Response& response) {
  return proceed().set_header("x-response-hook", "1").set_header("x-upstream-status", decimal(response.status));
}
SANDGATE_ON_REQUEST(on_request)
SANDGATE_ON_RESPONSE(on_response)
