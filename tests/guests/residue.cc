// SPDX-License-Identifier: Apache-2.0
//
// Looks for what an earlier call left behind: counts the bytes that are not zero in 1 MiB of newly grown memory, and
// one for a global that was set, answers the count in x-residue, then fills and sets them. A fresh instance answers 0.
#include <sandgate/middleware.h>

using namespace sandgate::guest;

static bool used = false;

static Action look() {
  constexpr std::size_t kPages = 16;
  const std::size_t before = __builtin_wasm_memory_grow(0, kPages);
  if (before == SIZE_MAX) __builtin_trap();
  auto* const first = reinterpret_cast<unsigned char*>(before * 65536);
  std::uint64_t dirty = used ? 1 : 0;
  for (std::size_t i = 0; i != kPages * 65536; ++i) dirty += first[i] != 0 ? 1 : 0;
  used = true;
  memset(first, 0xa5, kPages * 65536);
  return proceed().set_header("x-residue", decimal(dirty));
}
static Action on_request(const Request&) { return look(); }
static Action on_response(const Response&) { return look(); }
SANDGATE_ON_REQUEST(on_request)
SANDGATE_ON_RESPONSE(on_response)
