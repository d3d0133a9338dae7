// SPDX-License-Identifier: Apache-2.0
//
// Refuses every request.
#include <sandgate/middleware.h>

using namespace sandgate::guest;

static Action on_request(const Request&) { return reject(403); }
SANDGATE_ON_REQUEST(on_request)
