// SPDX-License-Identifier: Apache-2.0
//
// Appends the letter b to the field x-order, both ways: shows the order of modules and that each sees earlier edits.
#include <sandgate/middleware.h>

using namespace sandgate::guest;

static Action on_request(const Request& request) {
  return proceed().set_header("x-order", concat(request.header("x-order").value_or(""), "b"));
}
static Action on_response(const Response& response) {
  return proceed().set_header("x-order", concat(response.header("x-order").value_or(""), "b"));
}
SANDGATE_ON_REQUEST(on_request)
SANDGATE_ON_RESPONSE(on_response)
