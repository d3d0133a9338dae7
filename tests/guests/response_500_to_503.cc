// SPDX-License-Identifier: Apache-2.0
//
// A 500 of the upstream reaches the client as 503, other statuses as they are.
#include <sandgate/middleware.h>

using namespace sandgate::guest;

static Action on_response(const Response& response) {
  return response.status == 500 ? proceed().status(503) : proceed();
}
SANDGATE_ON_RESPONSE(on_response)
