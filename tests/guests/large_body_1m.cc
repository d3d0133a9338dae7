// SPDX-License-Identifier: Apache-2.0
//
// Replaces either body by 1 MiB in which the byte at i is 'a' + i % 26.
#include <sandgate/middleware.h>

using namespace sandgate::guest;

static std::string_view pattern() {
  constexpr std::size_t kBytes = 1u << 20;
  char* const text = allocate_text(kBytes);
  for (std::size_t i = 0; i != kBytes; ++i) text[i] = static_cast<char>('a' + i % 26);
  return {text, kBytes};
}
static Action on_request(const Request&) { return proceed().body(pattern()); }
static Action on_response(const Response&) { return proceed().body(pattern()); }
SANDGATE_ON_REQUEST(on_request)
SANDGATE_ON_RESPONSE(on_response)
