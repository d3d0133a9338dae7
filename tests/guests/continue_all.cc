// SPDX-License-Identifier: Apache-2.0
//
// Lets everything pass, both ways.
#include <sandgate/middleware.h>

using namespace sandgate::guest;

static Action on_request(const Request&) { return proceed(); }
static Action on_response(const Response&) { return proceed(); }
SANDGATE_ON_REQUEST(on_request)
SANDGATE_ON_RESPONSE(on_response)
