// SPDX-License-Identifier: Apache-2.0
//
// Shows the upstream what the request hook was given, in fields x-echo-*. Each line of a field x-echo-me comes back as
// a line of x-echo-you.
#include <sandgate/middleware.h>

using namespace sandgate::guest;

static Action on_request(const Request& request) {
  Action action = proceed()
                      .set_header("x-echo-method", request.method)
                      .set_header("x-echo-path", request.path)
                      .set_header("x-echo-query", request.query)
                      .set_header("x-echo-request-id", request.request_id)
                      .set_header("x-echo-time", decimal(request.now_epoch_ms))
                      .set_header("x-echo-headers", decimal(request.headers.size()))
                      .set_header("x-echo-body-length", decimal(request.body.size()));
  for (const Header header : request.headers.named("x-echo-me")) action.add_header("x-echo-you", header.value);
  return action;
}
SANDGATE_ON_REQUEST(on_request)
