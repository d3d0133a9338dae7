// SPDX-License-Identifier: Apache-2.0
#include "routing/path_pattern.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/arena.h"
#include "base/ascii.h"
#include "http/target.h"

namespace sandgate::routing {
namespace {

using Kind = PathSegment::Kind;

bool is_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return ascii_digit(c) || c == '_' || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
  });
}

std::unexpected<Error> invalid(std::string detail) { return fail(ErrorKind::kInvalid, std::move(detail)); }

}  // namespace

Status PathPattern::add_segment(std::string_view segment, bool last) {
  if (segment.starts_with(':') || segment.starts_with('*')) {
    bool rest = segment.front() == '*';
    std::string name(segment.substr(1));
    if (!is_name(name))
      return invalid("\"" + std::string(segment) + "\" needs a name of letters, digits and _, such as " +
                     (rest ? "*rest" : ":id"));
    if (rest && !last) return invalid("\"" + std::string(segment) + "\" takes all that follows: it must come last");
    if (std::ranges::find(names_, name) != names_.end()) return invalid("the name \"" + name + "\" occurs twice");
    if (names_.size() == kCapturesMax) return invalid("more than 16 names");
    names_.push_back(name);
    segments_.push_back({rest ? Kind::kRest : Kind::kParameter, std::move(name)});
    return {};
  }
  if (segment.find('*') != std::string_view::npos)
    return invalid("\"*\" may only begin a segment: write /*rest at the end");
  Arena arena;
  std::optional<std::string_view> normal = http::normalise_path(arena.join("/", segment), arena);
  // Such as "..", which would take a segment away.
  if (!normal || (normal->size() == 1) != segment.empty())
    return invalid("\"" + std::string(segment) + "\" is no segment of a path");
  segments_.push_back({Kind::kLiteral, std::string(normal->substr(1))});
  return {};
}

Result<PathPattern> PathPattern::parse(std::string_view text) {
  if (!text.starts_with('/')) return invalid("a path begins with \"/\"");
  if (text.size() > kBytesMax) return invalid("a path has at most 1024 bytes");
  PathPattern pattern;
  pattern.text_ = text;
  std::string_view left = text.substr(1);
  for (bool more = true; more;) {
    std::size_t slash = left.find('/');
    more = slash != std::string_view::npos;
    std::string_view segment = left.substr(0, slash);
    if (more && segment.empty()) return invalid("\"//\" never matches: requests have their slashes merged");
    if (pattern.segments_.size() == kSegmentsMax) return invalid("a path has at most 32 segments");
    if (Status added = pattern.add_segment(segment, !more); !added) return fail(std::move(added.error()));
    if (more) left.remove_prefix(slash + 1);
  }
  return pattern;
}

bool PathPattern::same_shape(const PathPattern& other) const {
  return std::ranges::equal(segments_, other.segments_, [](const PathSegment& a, const PathSegment& b) {
    return a.kind == b.kind && (a.kind != Kind::kLiteral || a.text == b.text);
  });
}

}  // namespace sandgate::routing
