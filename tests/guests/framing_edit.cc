// SPDX-License-Identifier: Apache-2.0
//
// Tries to edit what the gateway alone decides, and one field that it may (x-allowed).
#include <sandgate/middleware.h>

using namespace sandgate::guest;

static Action edit() {
  return proceed()
      .set_header("Content-Length", "3")
      .set_header("transfer-encoding", "chunked")
      .set_header("connection", "close, x-allowed")
      .set_header("keep-alive", "timeout=1")
      .set_header("te", "trailers")
      .set_header("trailer", "x-later")
      .set_header("upgrade", "websocket")
      .set_header("expect", "100-continue")
      .set_header("proxy-connection", "close")
      .add_header("content-length", "5")
      .add_header("transfer-encoding", "gzip")
      .remove_header("content-length")
      .remove_header("transfer-encoding")
      .set_header("x-allowed", "1");
}
static Action on_request(const Request&) { return edit().set_header("host", "elsewhere.test"); }
static Action on_response(const Response&) { return edit(); }
SANDGATE_ON_REQUEST(on_request)
SANDGATE_ON_RESPONSE(on_response)
