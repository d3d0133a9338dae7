// SPDX-License-Identifier: Apache-2.0
#include "gateway/peer_ranges.h"

#include <optional>
#include <utility>

namespace sandgate::gateway {
namespace {

constexpr std::string_view kUnix = "unix";

}  // namespace

Result<PeerRanges> PeerRanges::parse(std::span<const std::string> values) {
  PeerRanges parsed;
  std::vector<std::string> addresses;
  for (const std::string& value : values) {
    if (value == kUnix) {
      parsed.unix_ = true;
    } else {
      addresses.push_back(value);
    }
  }
  Result<std::vector<Cidr>> ranges = parse_cidr_list(addresses);
  if (!ranges) return fail(std::move(ranges.error()));
  parsed.ranges_ = std::move(*ranges);
  return parsed;
}

bool PeerRanges::contains(std::string_view host) const {
  if (host == kUnix) return unix_;
  std::optional<IpAddress> address = parse_ip(host);
  return address && gateway::contains(ranges_, *address);
}

}  // namespace sandgate::gateway
