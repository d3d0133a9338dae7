// SPDX-License-Identifier: Apache-2.0
//
// Edits that are no valid HTTP, each a failure of the module. The query picks one: ?name_space, ?name_empty,
// ?name_crlf, ?value_cr, ?value_lf, ?value_nul, ?add, ?remove; without a query, and on responses, a CR LF that would
// start a new field.
#include <sandgate/middleware.h>

using namespace sandgate::guest;

static Action on_request(const Request& request) {
  if (request.query == "name_space") return proceed().set_header("x bad", "1");
  if (request.query == "name_empty") return proceed().set_header("", "1");
  if (request.query == "name_crlf") return proceed().set_header("x-bad: 1\r\nx-injected", "1");
  if (request.query == "value_cr") return proceed().set_header("x-bad", "a\rb");
  if (request.query == "value_lf") return proceed().set_header("x-bad", "a\nb");
  if (request.query == "value_nul") return proceed().set_header("x-bad", std::string_view("a\0b", 3));
  if (request.query == "add") return proceed().add_header("x-bad", "1\r\nx-injected: 1");
  if (request.query == "remove") return proceed().remove_header("x bad");
  return proceed().set_header("x-bad", "1\r\nx-injected: 1");
}
static Action on_response(const Response&) { return proceed().set_header("x-bad", "1\r\nx-injected: 1"); }
SANDGATE_ON_REQUEST(on_request)
SANDGATE_ON_RESPONSE(on_response)
