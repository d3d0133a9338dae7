// SPDX-License-Identifier: Apache-2.0
//
// Traps in every call.
#include <sandgate/middleware.h>

using namespace sandgate::guest;

static Action on_request(const Request&) { __builtin_trap(); }
static Action on_response(const Response&) { __builtin_trap(); }
SANDGATE_ON_REQUEST(on_request)
SANDGATE_ON_RESPONSE(on_response)
