// SPDX-License-Identifier: Apache-2.0
//
// The path of a route as it is written: "/v1/users/:id" or "/files/*rest". Segments are literal, a parameter (':' and a
// name: one segment, not empty) or, at the end, the rest ('*' and a name: everything that follows, which may be
// nothing). Immutable.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sandgate::routing {

struct PathSegment {
  enum class Kind : unsigned char { kLiteral, kParameter, kRest };
  Kind kind = Kind::kLiteral;
  std::string text;  // the literal in its normal form, or the name

  bool operator==(const PathSegment&) const = default;
};

class PathPattern {
 public:
  // What one match captures is kept in a fixed array; a path with more names is not a path that people read.
  static constexpr std::size_t kCapturesMax = 16;
  static constexpr std::size_t kSegmentsMax = 32;
  static constexpr std::size_t kBytesMax = 1024;

  // kInvalid: what is wrong and what to write instead. Literals are brought to the normal form that requests have
  // (http/target.h), so "/a%62" is "/ab".
  static Result<PathPattern> parse(std::string_view text);

  const std::string& text() const { return text_; }
  std::span<const PathSegment> segments() const { return segments_; }
  // Names of parameters and rest, in order.
  std::span<const std::string> names() const { return names_; }
  bool has_rest() const { return !segments_.empty() && segments_.back().kind == PathSegment::Kind::kRest; }
  // Whether both match the same paths: they differ in names only.
  bool same_shape(const PathPattern& other) const;

 private:
  PathPattern() = default;
  Status add_segment(std::string_view segment, bool last);

  std::string text_;
  std::vector<PathSegment> segments_;
  std::vector<std::string> names_;
};

}  // namespace sandgate::routing
