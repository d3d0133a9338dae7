// SPDX-License-Identifier: Apache-2.0
#include "http/head_search.h"

#include <algorithm>

#include "base/check.h"
#include "http/byte_class.h"

namespace sandgate::http {

HeadSearch::Outcome HeadSearch::search(std::string_view buffer, const HeadLimits& limits, LeadingEmptyLine leading) {
  SANDGATE_CHECK(searched_ <= buffer.size());
  const char* const base = buffer.data();
  // Line ends are noted in 32 bits.
  const std::size_t head_bytes_max = std::min<std::size_t>(limits.head_bytes, UINT32_MAX);
  const std::size_t window = std::min(buffer.size(), head_bytes_max);
  while (searched_ < window) {
    const auto at = static_cast<std::size_t>(find_control(base + searched_, base + window) - base);
    if (lines_ == 0) {
      // The byte after the longest start line is either its CR or one too many, whatever it is.
      const std::size_t longest = line_start_ + limits.start_line_bytes;
      if (at > longest || (at == longest && at < window && base[at] != '\r')) return Outcome::kStartLineTooLong;
    }
    searched_ = at;
    if (at == window) break;
    if (base[at] != '\r') return base[at] == '\n' ? Outcome::kBareLf : Outcome::kControlByte;
    if (at + 1 == window) break;
    if (base[at + 1] != '\n') return Outcome::kBareCr;
    searched_ = at + 2;
    Outcome outcome = end_line(at, limits, leading);
    if (outcome != Outcome::kNeedMore) return outcome;
  }
  return buffer.size() > head_bytes_max ? Outcome::kHeadTooLong : Outcome::kNeedMore;
}

HeadSearch::Outcome HeadSearch::end_line(std::size_t end, const HeadLimits& limits, LeadingEmptyLine leading) {
  const bool empty = end == line_start_;
  line_start_ = searched_;
  if (empty && lines_ == 0) {
    if (leading == LeadingEmptyLine::kRefused || start_ != 0) return Outcome::kEmptyLines;
    start_ = searched_;
    return Outcome::kNeedMore;
  }
  if (empty) return Outcome::kFound;
  if (lines_ < kLinesNoted) line_ends_[lines_] = static_cast<std::uint32_t>(end - start_);
  ++lines_;
  return lines_ > limits.fields + 1 ? Outcome::kTooManyFields : Outcome::kNeedMore;
}

}  // namespace sandgate::http
