// SPDX-License-Identifier: Apache-2.0
//
// The vocabulary of this ABI: one shape under three package names, because the router that made it was renamed twice. A
// component exports the interfaces, a core module the functions ("sgl:router/middleware-on-request#on-request"). The
// engine looks for them; docs and messages use the names from here.
#pragma once

#include <array>
#include <string_view>

namespace sandgate::abi::router_middleware {

inline constexpr std::array<std::string_view, 3> kPackages = {"sgl:router", "sgl:model-gateway", "smg:gateway"};

inline constexpr std::string_view kOnRequestInterface = "middleware-on-request";
inline constexpr std::string_view kOnRequestFunction = "on-request";
inline constexpr std::string_view kOnResponseInterface = "middleware-on-response";
inline constexpr std::string_view kOnResponseFunction = "on-response";

}  // namespace sandgate::abi::router_middleware
