// SPDX-License-Identifier: Apache-2.0
#include "routing/host_pattern.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/ascii.h"
#include "http/target.h"

namespace sandgate::routing {

std::string_view host_of(std::string_view authority, std::string& room) {
  std::optional<http::Authority> parsed = http::parse_authority(authority);
  if (!parsed) return {};
  std::string_view host = parsed->host;
  if (host.size() > 1 && host.ends_with('.')) host.remove_suffix(1);
  if (std::ranges::all_of(host, [](char c) { return ascii_lower(c) == c; })) return host;
  room.assign(host);
  std::ranges::transform(room, room.begin(), &ascii_lower);
  return room;
}

Result<HostPattern> HostPattern::parse(std::string_view text) {
  HostPattern pattern;
  if (text == "*") return pattern;
  bool below = text.starts_with("*.");
  std::string_view name = below ? text.substr(2) : text;
  std::optional<http::Authority> parsed = http::parse_authority(name);
  if (!parsed || name.find('*') != std::string_view::npos || (below && parsed->is_ipv6))
    return fail(ErrorKind::kInvalid, "a host is a name such as api.example.com, a pattern such as *.example.com, or *");
  if (!parsed->port.empty())
    return fail(ErrorKind::kInvalid, "a host is written without a port: routes do not look at ports");
  std::string room;
  pattern.kind_ = below ? Kind::kBelow : Kind::kExact;
  pattern.name_ = below ? "." : "";
  pattern.name_ += host_of(name, room);
  return pattern;
}

std::string HostPattern::text() const {
  switch (kind_) {
    case Kind::kAny: return "*";
    case Kind::kBelow: return "*" + name_;
    case Kind::kExact: return name_;
  }
  return {};
}

}  // namespace sandgate::routing
