// SPDX-License-Identifier: Apache-2.0
//
// IP addresses and ranges of them as values: parsing and membership, nothing else. IPv4 addresses are kept as
// IPv4-mapped IPv6 (RFC 4291 section 2.5.5.2), so that "127.0.0.1" and "::ffff:127.0.0.1" are one address.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sandgate::gateway {

struct IpAddress {
  std::uint64_t high = 0;  // the first eight bytes, most significant first
  std::uint64_t low = 0;

  bool is_ipv4() const { return high == 0 && low >> 32 == 0xffff; }
  bool operator==(const IpAddress&) const = default;
};

// An IPv4 or IPv6 literal: no brackets, port, zone or leading zeros. Nothing when it is none.
std::optional<IpAddress> parse_ip(std::string_view text);

// A range of addresses: "10.0.0.0/8", "fd00::/8", or one address.
class Cidr {
 public:
  // kInvalid says what is wrong and what to write: not an address, a length outside 0-32 (0-128), or bits set beyond
  // the length.
  static Result<Cidr> parse(std::string_view text);

  bool contains(const IpAddress& address) const {
    return ((address.high ^ first_.high) & mask_.high) == 0 && ((address.low ^ first_.low) & mask_.low) == 0;
  }

 private:
  Cidr(const IpAddress& first, const IpAddress& mask) : first_(first), mask_(mask) {}
  IpAddress first_;
  IpAddress mask_;
};

// Several ranges, in several values or separated by commas. Errors as of Cidr::parse, for the first that is wrong. An
// empty list is valid and contains nothing.
Result<std::vector<Cidr>> parse_cidr_list(std::span<const std::string> values);

bool contains(std::span<const Cidr> ranges, const IpAddress& address);

}  // namespace sandgate::gateway
