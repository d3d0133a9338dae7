// SPDX-License-Identifier: Apache-2.0
//
// Strings that are no UTF-8. The query picks one: ?name, ?overlong, ?surrogate, ?truncated, ?remove; 0xff without one.
#include <sandgate/middleware.h>

using namespace sandgate::guest;

static Action on_request(const Request& request) {
  if (request.query == "name") return proceed().set_header("x-\xff", "1");
  if (request.query == "overlong") return proceed().set_header("x-bad", "\xc0\xaf");
  if (request.query == "surrogate") return proceed().set_header("x-bad", "\xed\xa0\x80");
  if (request.query == "truncated") return proceed().add_header("x-bad", "\xe2\x82");
  if (request.query == "remove") return proceed().remove_header("\xff");
  return proceed().set_header("x-bad", "\xff");
}
static Action on_response(const Response&) { return proceed().set_header("x-bad", "\xff"); }
SANDGATE_ON_REQUEST(on_request)
SANDGATE_ON_RESPONSE(on_response)
