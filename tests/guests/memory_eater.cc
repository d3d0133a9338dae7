// SPDX-License-Identifier: Apache-2.0
//
// Grows its memory page by page, without touching it, until the host refuses; then traps.
#include <sandgate/middleware.h>

using namespace sandgate::guest;

static Action eat() {
  while (__builtin_wasm_memory_grow(0, 1) != SIZE_MAX) {}
  __builtin_trap();
}
static Action on_request(const Request&) { return eat(); }
static Action on_response(const Response&) { return eat(); }
SANDGATE_ON_REQUEST(on_request)
SANDGATE_ON_RESPONSE(on_response)
