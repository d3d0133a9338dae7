// SPDX-License-Identifier: Apache-2.0
//
// Grows its memory by 1 MiB at a time and writes every page, until the host refuses; then lets the message pass and
// says in x-grown-kib how much it got.
#include <sandgate/middleware.h>

using namespace sandgate::guest;

static Action eat() {
  constexpr std::size_t kPage = 65536;
  constexpr std::size_t kStep = 16;
  std::uint64_t kib = 0;
  for (;;) {
    const std::size_t before = __builtin_wasm_memory_grow(0, kStep);
    if (before == SIZE_MAX) break;
    for (std::size_t page = before; page != before + kStep; ++page) {
      for (std::size_t at = 0; at < kPage; at += 4096) {
        *reinterpret_cast<volatile unsigned char*>(page * kPage + at) = 0xa5;
      }
    }
    kib += kStep * kPage / 1024;
  }
  return proceed().set_header("x-grown-kib", decimal(kib));
}
static Action on_request(const Request&) { return eat(); }
static Action on_response(const Response&) { return eat(); }
SANDGATE_ON_REQUEST(on_request)
SANDGATE_ON_RESPONSE(on_response)
