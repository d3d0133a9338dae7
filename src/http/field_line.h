// SPDX-License-Identifier: Apache-2.0
//
// One field line (RFC 9112 section 5), for heads and trailers.
#pragma once

#include <string_view>

#include "http/field.h"

namespace sandgate::http {

// `line` is without its CRLF, not empty and free of control bytes (see find_control). Fills `field` with views into it.
// Returns what is wrong with the line, empty when nothing is.
std::string_view parse_field_line(std::string_view line, Field& field);

}  // namespace sandgate::http
