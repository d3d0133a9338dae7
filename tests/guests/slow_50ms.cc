// SPDX-License-Identifier: Apache-2.0
//
// Computes for about 50 ms (by a number of steps, not by a clock), then lets the message pass.
#include <sandgate/middleware.h>

using namespace sandgate::guest;

static Action compute() {
  // Each step waits for the one before: about 1.5 ns on a machine of 2021-2025.
  constexpr std::uint32_t kSteps = 33'000'000;
  std::uint64_t state = 1;
  for (std::uint32_t i = 0; i != kSteps; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    __asm__ volatile("" : "+r"(state));
  }
  return proceed().set_header("x-slow", decimal(state));
}
static Action on_request(const Request&) { return compute(); }
static Action on_response(const Response&) { return compute(); }
SANDGATE_ON_REQUEST(on_request)
SANDGATE_ON_RESPONSE(on_response)
