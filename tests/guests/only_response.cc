// SPDX-License-Identifier: Apache-2.0
//
// Exports the response hook alone, which copies what it was given: status, number of field lines, body length.
#include <sandgate/middleware.h>

using namespace sandgate::guest;

static Action on_response(const Response& response) {
  return proceed()
      .set_header("x-echo-status", decimal(response.status))
      .set_header("x-echo-headers", decimal(response.headers.size()))
      .set_header("x-echo-body-length", decimal(response.body.size()));
}
SANDGATE_ON_RESPONSE(on_response)
