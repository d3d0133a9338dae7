// SPDX-License-Identifier: Apache-2.0
//
// Content-Length as a field of a message in hand. What goes out on a connection is written by whoever frames it; this
// is for what is said to others.
#pragma once

#include <cstdint>
#include <optional>

#include "http/field.h"

namespace sandgate::gateway {

// The value: of an answer to HEAD or of a 304, what GET would have had. Nothing when there is none.
std::optional<std::uint64_t> content_length(const http::Fields& fields);

// The field, if there is one, says `bytes` from now on: modules that follow see the length of the body there is.
void update_content_length(http::Fields& fields, std::uint64_t bytes);

}  // namespace sandgate::gateway
