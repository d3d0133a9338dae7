// SPDX-License-Identifier: Apache-2.0
//
// Traps for requests under /trap and for responses with the field x-trap; everything else passes.
#include <sandgate/middleware.h>

using namespace sandgate::guest;

static Action on_request(const Request& request) {
  if (request.path.starts_with("/trap")) __builtin_trap();
  return proceed().set_header("x-survived", "1");
}
static Action on_response(const Response& response) {
  if (response.header("x-trap")) __builtin_trap();
  return proceed().set_header("x-survived", "1");
}
SANDGATE_ON_REQUEST(on_request)
SANDGATE_ON_RESPONSE(on_response)
