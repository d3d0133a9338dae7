// SPDX-License-Identifier: Apache-2.0
//
// The middleware that both gateways run: one more field on the request, one more on the response. The request's is
// named x-request-id-... because smg hands on only the fields of a list, which this name is on.
#define SANDGATE_PACKAGE "smg:gateway"
#include <sandgate/middleware.h>

using namespace sandgate::guest;

static Action on_request(const Request&) { return proceed().add_header("x-request-id-bench", "request"); }
static Action on_response(const Response&) { return proceed().add_header("x-bench", "response"); }
SANDGATE_ON_REQUEST(on_request)
SANDGATE_ON_RESPONSE(on_response)
