// SPDX-License-Identifier: Apache-2.0
//
// How the fields of a head delimit the body after it (RFC 9112 section 6). Refuses every combination that two
// implementations could read differently. Used by the parsers of head_parser.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "http/head_parser.h"

namespace sandgate::http {

// What the framing and routing fields of one head say, gathered in one pass.
struct HeadFacts {
  std::size_t hosts = 0;
  std::size_t content_lengths = 0;
  std::size_t transfer_encodings = 0;
  std::size_t connection_options = 0;
  std::string_view host;  // values; of the first line each
  std::string_view content_length;
  std::string_view transfer_encoding;

  static HeadFacts gather(const Fields& fields);
};

// Sets `framing` to kLength or kChunked, or to kNone when no field says anything. Returns a refusal when the fields are
// not acceptable.
std::optional<Refusal> read_framing(const HeadFacts& facts, int minor_version, BodyFraming& framing);

}  // namespace sandgate::http
