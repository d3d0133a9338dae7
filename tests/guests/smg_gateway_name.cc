// SPDX-License-Identifier: Apache-2.0
//
// Exports the hooks under the package name smg:gateway. Sets x-package.
#define SANDGATE_PACKAGE "smg:gateway"
#include <sandgate/middleware.h>

using namespace sandgate::guest;

static Action on_request(const Request&) { return proceed().set_header("x-package", SANDGATE_PACKAGE); }
static Action on_response(const Response&) { return proceed().set_header("x-package", SANDGATE_PACKAGE); }
SANDGATE_ON_REQUEST(on_request)
SANDGATE_ON_RESPONSE(on_response)
