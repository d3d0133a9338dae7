// SPDX-License-Identifier: Apache-2.0
//
// The client gets another body than the upstream sent.
#include <sandgate/middleware.h>

using namespace sandgate::guest;

static Action on_response(const Response&) { return proceed().body("replaced response"); }
SANDGATE_ON_RESPONSE(on_response)
