// SPDX-License-Identifier: Apache-2.0
//
// Replaces every response by a rejection: nothing of the upstream's answer may reach the client.
#include <sandgate/middleware.h>

using namespace sandgate::guest;

static Action on_response(const Response&) { return reject(418); }
SANDGATE_ON_RESPONSE(on_response)
