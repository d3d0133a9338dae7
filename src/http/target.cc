// SPDX-License-Identifier: Apache-2.0
#include "http/target.h"

#include <algorithm>
#include <cstddef>

#include "base/ascii.h"
#include "http/byte_class.h"
#include "http/limits.h"

namespace sandgate::http {
namespace {

// Whether a byte may stand in a path as it is. '?' would begin a query, a backslash is a slash to some.
bool is_path_byte(char c) { return is_byte(c, kTargetByte) && c != '\\' && c != '?'; }

// Whether the path is its own normal form, judged quickly: "no" may be wrong, "yes" never is.
bool looks_normal(std::string_view path) {
  char previous = 0;
  for (char c : path) {
    if (c == '%' || !is_path_byte(c) || (previous == '/' && (c == '/' || c == '.'))) return false;
    previous = c;
  }
  return true;
}

// Decodes percent-encoded unreserved bytes. Writes to `to`, at least as long as `path`; returns the bytes written.
std::optional<std::size_t> decode_unreserved(std::string_view path, char* to) {
  static constexpr char kUpperHex[] = "0123456789ABCDEF";
  std::size_t written = 0;
  for (std::size_t at = 0; at < path.size(); ++at) {
    if (!is_path_byte(path[at])) return std::nullopt;
    if (path[at] != '%') {
      to[written++] = path[at];
      continue;
    }
    if (path.size() - at < 3 || !is_byte(path[at + 1], kHexByte) || !is_byte(path[at + 2], kHexByte))
      return std::nullopt;
    const unsigned high = hex_value(path[at + 1]);
    const unsigned low = hex_value(path[at + 2]);
    const char decoded = static_cast<char>(high * 16 + low);
    if (is_byte(decoded, kControlByte) || decoded == '\t') return std::nullopt;
    if (is_byte(decoded, kUnreservedByte)) {
      to[written++] = decoded;
    } else {
      to[written++] = '%';
      to[written++] = kUpperHex[high];
      to[written++] = kUpperHex[low];
    }
    at += 2;
  }
  return written;
}

// Removes empty and dot segments in place; `path` begins with '/'. Repeated slashes go first, as in a file system:
// "/a//../b" is "/b".
std::size_t remove_segments(char* path, std::size_t size) {
  std::size_t kept = 0;  // path[0, kept) is done and ends before a '/'
  bool ends_in_slash = false;
  for (std::size_t at = 0; at < size;) {
    const std::size_t begin = at + 1;  // path[at] is '/'
    std::size_t end = begin;
    while (end < size && path[end] != '/') ++end;
    const std::string_view segment(path + begin, end - begin);
    ends_in_slash = segment.empty() || segment == "." || segment == "..";
    if (segment == "..") {
      while (kept > 0 && path[--kept] != '/') {}
    } else if (!ends_in_slash) {
      path[kept++] = '/';
      std::copy(path + begin, path + end, path + kept);
      kept += segment.size();
    }
    at = end;
  }
  if (ends_in_slash) path[kept++] = '/';
  return kept;
}

bool is_decimal_byte(std::string_view text) {
  if (text.empty() || text.size() > 3 || !std::ranges::all_of(text, ascii_digit)) return false;
  if (text.size() > 1 && text.front() == '0') return false;
  return text.size() < 3 || text <= "255";
}

bool is_ipv4(std::string_view text) {
  for (int part = 0; part < 3; ++part) {
    const std::size_t dot = text.find('.');
    if (dot == std::string_view::npos || !is_decimal_byte(text.substr(0, dot))) return false;
    text.remove_prefix(dot + 1);
  }
  return is_decimal_byte(text);
}

// Counts the 16-bit groups of one side of an IPv6 address; an IPv4 address at the end counts as two. Nothing when
// malformed.
std::optional<int> count_groups(std::string_view text, bool ipv4_allowed) {
  int groups = 0;
  if (text.empty()) return groups;
  while (true) {
    const std::size_t colon = text.find(':');
    const std::string_view group = text.substr(0, colon);
    if (colon == std::string_view::npos && ipv4_allowed && group.find('.') != std::string_view::npos) {
      if (!is_ipv4(group)) return std::nullopt;
      return groups + 2;
    }
    if (group.empty() || group.size() > 4) return std::nullopt;
    if (!std::ranges::all_of(group, [](char c) { return is_byte(c, kHexByte); })) return std::nullopt;
    if (++groups > 8) return std::nullopt;
    if (colon == std::string_view::npos) return groups;
    text.remove_prefix(colon + 1);
  }
}

// RFC 3986 section 3.2.2, without zones.
bool is_ipv6(std::string_view text) {
  const std::size_t gap = text.find("::");
  if (gap == std::string_view::npos) return count_groups(text, true) == 8;
  const std::optional<int> before = count_groups(text.substr(0, gap), false);
  const std::optional<int> after = count_groups(text.substr(gap + 2), true);
  return before && after && *before + *after <= 7;
}

bool is_port(std::string_view text) {
  if (text.empty() || text.size() > 5 || !std::ranges::all_of(text, ascii_digit)) return false;
  unsigned port = 0;
  for (char digit : text) port = port * 10 + static_cast<unsigned>(digit - '0');
  return port >= 1 && port <= 65535;
}

}  // namespace

std::optional<std::string_view> normalise_path(std::string_view path, Arena& arena) {
  if (path.empty() || path.front() != '/') return std::nullopt;
  if (looks_normal(path)) return path;
  const std::span<char> room = arena.allocate_array<char>(path.size());
  const std::optional<std::size_t> decoded = decode_unreserved(path, room.data());
  if (!decoded) return std::nullopt;
  const std::string_view normal(room.data(), remove_segments(room.data(), *decoded));
  return normal == path ? path : normal;
}

std::optional<Authority> parse_authority(std::string_view text) {
  Authority authority;
  std::size_t host_end = 0;
  if (text.starts_with('[')) {
    host_end = text.find(']');
    if (host_end == std::string_view::npos) return std::nullopt;
    authority.host = text.substr(1, host_end - 1);
    authority.is_ipv6 = true;
    if (!is_ipv6(authority.host)) return std::nullopt;
    ++host_end;
  } else {
    while (host_end < text.size() && is_byte(text[host_end], kUnreservedByte)) ++host_end;
    if (host_end == 0 || host_end > kHostBytesMax) return std::nullopt;
    authority.host = text.substr(0, host_end);
  }
  if (host_end == text.size()) return authority;
  if (text[host_end] != ':') return std::nullopt;
  authority.port = text.substr(host_end + 1);
  if (!is_port(authority.port)) return std::nullopt;
  return authority;
}

}  // namespace sandgate::http
