// SPDX-License-Identifier: Apache-2.0
//
// The pieces of X-Forwarded-For and Forwarded (RFC 7239): nodes and for= parameters. Pure; views into the text given.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "gateway/cidr.h"

namespace sandgate::gateway {

struct ForwardedNode {
  std::string_view text;  // the address alone, without brackets and port
  IpAddress address;
};

// "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]" or "[2001:db8::1]:80". Nothing for anything else,
// "unknown" and "_hidden" included.
std::optional<ForwardedNode> parse_forwarded_node(std::string_view text);

// The for= values of a Forwarded list in order, quotes removed; an element without one counts as an empty value. At
// most nodes.size(), the last ones. Returns how many, or nothing when the list breaks the grammar.
std::optional<std::size_t> forwarded_for_parameters(std::string_view list, std::span<std::string_view> nodes);

}  // namespace sandgate::gateway
