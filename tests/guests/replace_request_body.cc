// SPDX-License-Identifier: Apache-2.0
//
// The upstream gets another body than the client sent.
#include <sandgate/middleware.h>

using namespace sandgate::guest;

static Action on_request(const Request&) { return proceed().body("replaced request"); }
SANDGATE_ON_REQUEST(on_request)
