// SPDX-License-Identifier: Apache-2.0
//
// Never returns.
#include <sandgate/middleware.h>

using namespace sandgate::guest;

static Action spin() {
  for (;;) __asm__ volatile("");
}
static Action on_request(const Request&) { return spin(); }
static Action on_response(const Response&) { return spin(); }
SANDGATE_ON_REQUEST(on_request)
SANDGATE_ON_RESPONSE(on_response)
