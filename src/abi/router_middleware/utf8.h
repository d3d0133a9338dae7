// SPDX-License-Identifier: Apache-2.0
//
// UTF-8 as the component model's strings need it (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
#pragma once

#include <string_view>

#include "base/arena.h"

namespace sandgate::abi::router_middleware {

bool is_utf8(std::string_view text);

// Each byte as the code point of its value (ISO 8859-1), in UTF-8: at most twice as long. In `arena`.
std::string_view latin1_to_utf8(std::string_view text, Arena& arena);

}  // namespace sandgate::abi::router_middleware
