// SPDX-License-Identifier: Apache-2.0
//
// Every kind of field edit: x-set replaced, x-add appended twice, x-remove removed; x-order is set, added and removed
// at once and so must be gone.
#include <sandgate/middleware.h>

using namespace sandgate::guest;

static Action edit() {
  return proceed()
      .remove_header("X-Remove")
      .remove_header("x-order")
      .add_header("x-add", "first")
      .add_header("x-add", "second")
      .add_header("x-order", "added")
      .set_header("x-set", "new")
      .set_header("x-order", "set");
}
static Action on_request(const Request&) { return edit(); }
static Action on_response(const Response&) { return edit(); }
SANDGATE_ON_REQUEST(on_request)
SANDGATE_ON_RESPONSE(on_response)
