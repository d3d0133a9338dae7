// SPDX-License-Identifier: Apache-2.0
//
// One spelling of a path: route match, guests and upstream see the same bytes (architecture: "One spelling of a path").
#pragma once

#include <optional>
#include <string_view>

#include "base/arena.h"

namespace sandgate::http {

// The normal form of an absolute path: percent-encoded unreserved bytes decoded, hex digits of the rest in upper case, dot segments and repeated
// slashes removed (RFC 3986 sections 6.2.2 and 5.2.4). %2F and %5C stay as they are. Nothing when the path contains a NUL, control byte or backslash, plain
// or encoded (%00-%1F, %7F), or a '%' without two hex digits. The view is `path` itself when nothing changed, else in `arena`.
std::optional<std::string_view> normalise_path(std::string_view path, Arena& arena);

// host[":" port] of a Host field or an authority-form target: reg-name, IPv4, or bracketed IPv6; no userinfo; port 1-65535 when given (RFC 9110 section 7.2,
// RFC 3986 section 3.2). Empty is not valid here.
struct Authority {
  std::string_view host;  // IPv6 without brackets
  std::string_view port;  // empty when absent
  bool is_ipv6 = false;
};
std::optional<Authority> parse_authority(std::string_view text);

}  // namespace sandgate::http
