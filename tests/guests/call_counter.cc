// SPDX-License-Identifier: Apache-2.0
//
// Counts the calls of its instance in x-calls: 1 every time unless the module is deployed with kept instances. Requests
// with the query ?trap trap.
#include <sandgate/middleware.h>

using namespace sandgate::guest;

static std::uint64_t calls = 0;

static Action count() { return proceed().set_header("x-calls", decimal(++calls)); }
static Action on_request(const Request& request) {
  if (request.query == "trap") __builtin_trap();
  return count();
}
static Action on_response(const Response&) { return count(); }
SANDGATE_ON_REQUEST(on_request)
SANDGATE_ON_RESPONSE(on_response)
