// SPDX-License-Identifier: Apache-2.0
#include "http/conditional.h"

#include <limits>
#include <optional>

#include "base/ascii.h"
#include "http/date.h"

namespace sandgate::http {
namespace {

enum class Comparison : bool { kWeak, kStrong };

bool is_etag_byte(char c) {
  auto byte = static_cast<unsigned char>(c);
  return byte == 0x21 || (byte >= 0x23 && byte != 0x7f);
}

// Takes one entity tag from the front of `list`: the opaque part with its quotes, and whether it is weak.
std::optional<std::string_view> take_etag(std::string_view& list, bool& weak) {
  weak = list.starts_with("W/");
  if (weak) list.remove_prefix(2);
  if (!list.starts_with('"')) return std::nullopt;
  std::size_t end = 1;
  while (end < list.size() && is_etag_byte(list[end])) ++end;
  if (end == list.size() || list[end] != '"') return std::nullopt;
  std::string_view tag = list.substr(0, end + 1);
  list.remove_prefix(end + 1);
  return tag;
}

// Whether one line of If-Match or If-None-Match names the tag. What follows something malformed is not read.
bool line_matches(std::string_view list, std::string_view etag, Comparison comparison) {
  if (trimmed(list) == "*") return true;
  for (;;) {
    while (!list.empty() && (list.front() == ' ' || list.front() == '\t' || list.front() == ',')) list.remove_prefix(1);
    if (list.empty()) return false;
    bool weak = false;
    std::optional<std::string_view> tag = take_etag(list, weak);
    if (!tag) return false;
    if (*tag == etag && !(weak && comparison == Comparison::kStrong)) return true;
    list = trimmed(list);
    if (!list.empty() && list.front() != ',') return false;
  }
}

// Nothing when there is no such field.
std::optional<bool> matches(const Fields& fields, std::string_view name, std::string_view etag, Comparison comparison) {
  std::optional<bool> found;
  for (const Field& field : fields) {
    if (!equals_ignoring_case(field.name, name)) continue;
    found = found.value_or(false) || line_matches(field.value, etag, comparison);
  }
  return found;
}

// Of a field that stands there once.
std::optional<std::int64_t> date_of(const Fields& fields, std::string_view name) {
  std::optional<std::int64_t> date;
  std::size_t count = 0;
  for (const Field& field : fields) {
    if (!equals_ignoring_case(field.name, name)) continue;
    date = parse_date(field.value);
    ++count;
  }
  return count == 1 ? date : std::nullopt;
}

// A number that is too large is larger than every file. Nothing when there is a byte that is no digit, or none at all.
std::optional<std::uint64_t> parse_position(std::string_view digits) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  if (digits.empty()) return std::nullopt;
  std::uint64_t number = 0;
  for (char c : digits) {
    if (!ascii_digit(c)) return std::nullopt;
    auto digit = static_cast<std::uint64_t>(c - '0');
    number = number > (kMost - digit) / 10 ? kMost : number * 10 + digit;
  }
  return number;
}

// The one range of "bytes=RANGE"; nothing when it is anything else.
std::optional<std::string_view> single_range(std::string_view value) {
  constexpr std::string_view kUnit = "bytes=";
  if (value.size() < kUnit.size() || !equals_ignoring_case(value.substr(0, kUnit.size()), kUnit)) return std::nullopt;
  value.remove_prefix(kUnit.size());
  std::optional<std::string_view> only;
  while (!value.empty()) {
    std::size_t comma = value.find(',');
    std::string_view element = trimmed(value.substr(0, comma));
    value = comma == std::string_view::npos ? std::string_view() : value.substr(comma + 1);
    if (element.empty()) continue;
    if (only) return std::nullopt;
    only = element;
  }
  return only;
}

ByteRange parse_range(std::string_view range, std::uint64_t size) {
  using Kind = ByteRange::Kind;
  std::size_t hyphen = range.find('-');
  if (hyphen == std::string_view::npos) return {};
  std::string_view from = range.substr(0, hyphen);
  std::string_view to = range.substr(hyphen + 1);
  if (from.empty()) {
    std::optional<std::uint64_t> last_bytes = parse_position(to);
    if (!last_bytes) return {};
    if (*last_bytes == 0 || size == 0) return {Kind::kUnsatisfiable};
    std::uint64_t length = *last_bytes < size ? *last_bytes : size;
    return {Kind::kPart, size - length, length};
  }
  std::optional<std::uint64_t> first = parse_position(from);
  std::optional<std::uint64_t> last = std::numeric_limits<std::uint64_t>::max();
  if (!to.empty()) last = parse_position(to);
  if (!first || !last || *last < *first) return {};
  if (*first >= size) return {Kind::kUnsatisfiable};
  std::uint64_t end = *last < size - 1 ? *last : size - 1;
  return {Kind::kPart, *first, end - *first + 1};
}

// Whether a range may be answered by a part.
bool if_range_holds(const Fields& fields, const Validators& validators, std::int64_t now_unix_s) {
  std::optional<std::string_view> value = fields.find("if-range");
  if (!value) return true;
  if (value->starts_with('"') || value->starts_with("W/")) return *value == validators.etag;
  std::optional<std::int64_t> date = parse_date(*value);
  return date && *date == validators.modified_unix_s && *date < now_unix_s;
}

std::size_t count(const Fields& fields, std::string_view name) {
  std::size_t lines = 0;
  for (const Field& field : fields) lines += equals_ignoring_case(field.name, name) ? 1 : 0;
  return lines;
}

}  // namespace

Precondition evaluate_preconditions(const Fields& fields, const Validators& validators) {
  std::optional<bool> match = matches(fields, "if-match", validators.etag, Comparison::kStrong);
  if (match) {
    if (!*match) return Precondition::kFailed;
  } else if (std::optional<std::int64_t> since = date_of(fields, "if-unmodified-since")) {
    if (validators.modified_unix_s > *since) return Precondition::kFailed;
  }
  std::optional<bool> none_match = matches(fields, "if-none-match", validators.etag, Comparison::kWeak);
  if (none_match) return *none_match ? Precondition::kNotModified : Precondition::kHolds;
  std::optional<std::int64_t> since = date_of(fields, "if-modified-since");
  return since && validators.modified_unix_s <= *since ? Precondition::kNotModified : Precondition::kHolds;
}

ByteRange requested_range(const Fields& fields, const Validators& validators, std::uint64_t size,
                          std::int64_t now_unix_s) {
  std::optional<std::string_view> value = fields.find("range");
  if (!value || count(fields, "range") != 1 || count(fields, "if-range") > 1) return {};
  if (!if_range_holds(fields, validators, now_unix_s)) return {};
  std::optional<std::string_view> range = single_range(*value);
  return range ? parse_range(*range, size) : ByteRange();
}

}  // namespace sandgate::http
