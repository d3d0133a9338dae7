// SPDX-License-Identifier: Apache-2.0
//
// Sets a status on the request, which means nothing and must be ignored; the field x-seen must still arrive.
#include <sandgate/middleware.h>

using namespace sandgate::guest;

static Action on_request(const Request&) { return proceed().status(204).set_header("x-seen", "1"); }
SANDGATE_ON_REQUEST(on_request)
