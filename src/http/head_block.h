// SPDX-License-Identifier: Apache-2.0
//
// What the request and the response parser share: from bytes to a start line and fields in the arena.
#pragma once

#include <optional>
#include <string_view>

#include "http/head_parser.h"

namespace sandgate::http {

// The refusal that an outcome of the search means, as answered to a client. Not for kNeedMore and kFound.
Refusal refusal_of(HeadSearch::Outcome outcome);

// A complete head, copied into the arena of `fields` once, its field lines parsed. Returns a refusal when a line is
// malformed.
std::optional<Refusal> read_head_block(std::string_view buffer, const HeadSearch& search, Fields& fields,
                                       std::string_view& start_line);

// "HTTP/1.x": the minor version, at most 1. Any other well-formed version is refused with 505, anything else with 400.
std::optional<Refusal> read_version(std::string_view text, int& minor_version);

}  // namespace sandgate::http
