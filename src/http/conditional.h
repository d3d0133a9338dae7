// SPDX-License-Identifier: Apache-2.0
//
// Requests that depend on what the client has already (RFC 9110 section 13), and requests for a part (section 14).
// What is malformed is treated as if it were not there, but for entity tags: one that cannot be read matches nothing,
// so that If-Match then fails. No I/O; the texts are the caller's.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/message.h"

namespace sandgate::http {

// Of the representation that would be sent.
struct Validators {
  std::string_view etag;  // strong, with its quotes
  std::int64_t modified_unix_s = 0;
};

enum class Precondition : unsigned char {
  kHolds,
  kNotModified,  // 304: the client has it
  kFailed,       // 412
};

// For GET and HEAD of something that exists, in the order of section 13.2.2. Lines of a list field count together.
Precondition evaluate_preconditions(const Fields& fields, const Validators& validators);

// The part of a representation that is asked for.
struct ByteRange {
  enum class Kind : unsigned char {
    kWhole,          // no range, one that If-Range forbids, several, another unit, or a malformed one: all of it, 200
    kPart,           // 206
    kUnsatisfiable,  // 416: it begins behind the end
  };
  Kind kind = Kind::kWhole;
  std::uint64_t first = 0;   // of a part
  std::uint64_t length = 0;  // of a part, at least 1
};

// Of a GET whose preconditions hold. Several ranges are answered by the whole (section 14.2 allows it): a multipart
// body is what nobody asks for but attackers. A date in If-Range must be exactly the one that was sent, and at
// least a second older than `now_unix_s`: a younger one does not tell two versions apart (section 8.8.2.2).
ByteRange requested_range(const Fields& fields, const Validators& validators, std::uint64_t size,
                          std::int64_t now_unix_s);

}  // namespace sandgate::http
