// SPDX-License-Identifier: Apache-2.0
//
// Finds the end of a head in bytes that arrive piece by piece, and refuses at the first byte what no later byte can
// mend: a bare CR or LF, a control byte, a line, a head or a number of lines over its limit. The outcome depends on the
// bytes alone, not on how they were cut into pieces. Every byte is searched once. Used by the parsers of head_parser.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/limits.h"

namespace sandgate::http {

class HeadSearch {
 public:
  enum class Outcome : unsigned char {
    kNeedMore,
    kFound,
    kBareCr,
    kBareLf,
    kControlByte,
    kEmptyLines,  // where the start line should be; more than are skipped
    kStartLineTooLong,
    kHeadTooLong,
    kTooManyFields,
  };
  enum class LeadingEmptyLine : unsigned char { kRefused, kSkipped };

  // `buffer` holds what earlier calls saw and what was appended since.
  Outcome search(std::string_view buffer, const HeadLimits& limits, LeadingEmptyLine leading);
  void reset() { searched_ = start_ = line_start_ = lines_ = 0; }

  // Whether a byte after the skipped empty line was seen.
  bool started() const { return searched_ > start_; }
  // After kFound. The head is [start, end) of the buffer: `lines` lines, each with CRLF, the start line first, and
  // CRLF.
  std::size_t start() const { return start_; }
  std::size_t end() const { return searched_; }
  std::size_t lines() const { return lines_; }
  // Where the first of these lines end, before CRLF, counted from start(): so that they need not be searched again.
  static constexpr std::size_t kLinesNoted = 32;
  std::size_t line_end(std::size_t line) const { return line_ends_[line]; }

 private:
  Outcome end_line(std::size_t end, const HeadLimits& limits, LeadingEmptyLine leading);

  std::size_t searched_ = 0;
  std::size_t start_ = 0;
  std::size_t line_start_ = 0;
  std::size_t lines_ = 0;  // complete ones, the start line included
  std::array<std::uint32_t, kLinesNoted> line_ends_;
};

}  // namespace sandgate::http
