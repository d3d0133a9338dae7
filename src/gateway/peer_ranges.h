// SPDX-License-Identifier: Apache-2.0
//
// Whom a setting means by addresses: ranges of them, and whoever connects through a Unix socket. A value.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gateway/cidr.h"

namespace sandgate::gateway {

class PeerRanges {
 public:
  // "10.0.0.0/8", "::1" or "unix". Errors: as Cidr::parse, for the first that is wrong.
  static Result<PeerRanges> parse(std::span<const std::string> values);

  // `host` is an address as Peer::address has it: an IP literal, or "unix".
  bool contains(std::string_view host) const;

 private:
  std::vector<Cidr> ranges_;
  bool unix_ = false;
};

}  // namespace sandgate::gateway
