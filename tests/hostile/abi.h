// SPDX-License-Identifier: Apache-2.0
//
// A guest ABI as the hostile suite sees it: how a module of it is deployed and called, and what a failed call answers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/integration/gateway.h"

namespace sandgate::test {

struct Abi {
  std::string_view name;
  std::vector<std::string> points;
  std::string_view point;  // the one that a call runs, as /metrics names it
  int failed_status;       // what the client sees when a call failed
};

// Guests of sgl:router/middleware-on-request.
const Abi& router_middleware();

// One request that the module sees, with a body, so that there is something to hand over.
Received call(const Gateway& gateway, std::string_view query);

// How many calls of a module came to `outcome`.
std::uint64_t counted(const Gateway& gateway, const Abi& abi, std::string_view module, std::string_view outcome);

}  // namespace sandgate::test
