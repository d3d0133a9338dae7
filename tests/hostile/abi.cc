// SPDX-License-Identifier: Apache-2.0
#include "tests/hostile/abi.h"

#include <fmt/core.h>

namespace sandgate::test {

const Abi& router_middleware() {
  static const Abi abi{"router_middleware", {"OnRequest"}, "OnRequest", 503};
  return abi;
}

Received call(const Gateway& gateway, std::string_view query) {
  std::string target = "/status/200";
  if (!query.empty()) target += "?" + std::string(query);
  return fetch(gateway.port(), "POST", target, {{"X-Field", "value"}}, "a body of a few bytes");
}

std::uint64_t counted(const Gateway& gateway, const Abi& abi, std::string_view module, std::string_view outcome) {
  return gateway.metric(fmt::format(R"(sandgate_module_calls_total{{module="{}",attach_point="{}",outcome="{}"}})",
                                    module, abi.point, outcome));
}

}  // namespace sandgate::test
