// SPDX-License-Identifier: Apache-2.0
//
// One spelling of a path: route match, guests and upstream see the same bytes (architecture: "One spelling of a path").
#pragma once

#include <optional>
#include <string_view>

#include "base/arena.h"

namespace sandgate::http {

// The normal form of an absolute path: percent-encoded unreserved bytes decoded, hex digits of the rest in upper case,
// repeated slashes, then dot segments removed (RFC 3986 sections 6.2.2 and 5.2.4; "/a//../b" is "/b" as in a file
// system). %2F and %5C stay as they are. Nothing when the path does not begin with '/' (so "*" and CONNECT's empty path
// are the caller's), has a byte outside 0x21-0x7e, '#', '?' or a backslash, an encoded control byte (%00-%1F, %7F), or
// a '%' without two hex digits. The view is `path` itself when nothing changed, else in `arena`. Its own normal form.
std::optional<std::string_view> normalise_path(std::string_view path, Arena& arena);

// host[":" port] of a Host field or a target: name, IPv4, or bracketed IPv6; port 1-65535 when there is a colon (RFC
// 9110 section 7.2, RFC 3986 section 3.2). Narrower than the RFC where readers differ: names have unreserved bytes only
// (no percent-encoding, no sub-delims) and at most kHostBytesMax of them; no userinfo, no zone, no empty port. Empty is
// not valid here.
struct Authority {
  std::string_view host;  // IPv6 without brackets
  std::string_view port;  // empty when absent
  bool is_ipv6 = false;
};
std::optional<Authority> parse_authority(std::string_view text);

}  // namespace sandgate::http
