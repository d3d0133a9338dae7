// SPDX-License-Identifier: Apache-2.0
#include "gateway/cidr.h"

#include <arpa/inet.h>
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>

#include "base/ascii.h"
#include "platform/log.h"

namespace sandgate::gateway {
namespace {

constexpr std::string_view kForm = "write a range as 10.0.0.0/8 or fd00::/8, a single address as 192.0.2.1";
constexpr std::uint64_t kMappedIpv4 = 0xffff00000000;
constexpr unsigned kMappedPrefixBits = 96;
constexpr std::size_t kShownBytesMax = 100;

std::uint64_t load_big_endian(const unsigned char* bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes, sizeof(value));
  return std::endian::native == std::endian::little ? __builtin_bswap64(value) : value;
}

// The first `bits` of 64 set.
constexpr std::uint64_t leading_ones(unsigned bits) { return bits == 0 ? 0 : ~std::uint64_t{0} << (64 - bits); }

IpAddress mask_of(unsigned bits) {
  if (bits <= 64) return {leading_ones(bits), 0};
  return {leading_ones(64), leading_ones(bits - 64)};
}

std::string to_text(const IpAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  std::array<unsigned char, 16> bytes{};
  for (unsigned i = 0; i < 8; ++i) {
    bytes[i] = static_cast<unsigned char>(address.high >> (56 - 8 * i));
    bytes[8 + i] = static_cast<unsigned char>(address.low >> (56 - 8 * i));
  }
  bool ipv4 = address.is_ipv4();
  ::inet_ntop(ipv4 ? AF_INET : AF_INET6, ipv4 ? &bytes[12] : bytes.data(), text.data(), text.size());
  return text.data();
}

std::unexpected<Error> refuse(std::string_view text, std::string_view what) {
  return fail(ErrorKind::kInvalid, fmt::format("\"{}\" {}; {}", log::escaped(text, kShownBytesMax), what, kForm));
}

}  // namespace

std::optional<IpAddress> parse_ip(std::string_view text) {
  // inet_pton wants a terminated string; it takes exactly the textual forms of the RFCs, and no zones.
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.empty() || text.size() >= terminated.size()) return std::nullopt;
  std::memcpy(terminated.data(), text.data(), text.size());
  if (std::memchr(text.data(), 0, text.size()) != nullptr) return std::nullopt;
  std::array<unsigned char, 16> bytes{};
  if (text.find(':') == std::string_view::npos) {
    if (::inet_pton(AF_INET, terminated.data(), bytes.data()) != 1) return std::nullopt;
    return IpAddress{0, kMappedIpv4 | load_big_endian(bytes.data()) >> 32};
  }
  if (::inet_pton(AF_INET6, terminated.data(), bytes.data()) != 1) return std::nullopt;
  return IpAddress{load_big_endian(bytes.data()), load_big_endian(bytes.data() + 8)};
}

Result<Cidr> Cidr::parse(std::string_view text) {
  std::size_t slash = text.find('/');
  std::optional<IpAddress> address = parse_ip(text.substr(0, slash));
  if (!address) return refuse(text, "is not an IP address or range");
  bool ipv4 = text.substr(0, slash).find(':') == std::string_view::npos;
  unsigned bits_max = ipv4 ? 32 : 128;
  unsigned bits = bits_max;
  if (slash != std::string_view::npos) {
    std::string_view digits = text.substr(slash + 1);
    auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (digits.empty() || failure != std::errc() || end != digits.data() + digits.size() || bits > bits_max) {
      return refuse(text, fmt::format("needs a length of 0 to {} after the slash", bits_max));
    }
  }
  IpAddress mask = mask_of(ipv4 ? bits + kMappedPrefixBits : bits);
  IpAddress first{address->high & mask.high, address->low & mask.low};
  if (first != *address) {
    return fail(ErrorKind::kInvalid,
                fmt::format("\"{}\" has bits set beyond /{}; write {}/{}, or the address without a length",
                            log::escaped(text, kShownBytesMax), bits, to_text(first), bits));
  }
  return Cidr(first, mask);
}

Result<std::vector<Cidr>> parse_cidr_list(std::span<const std::string> values) {
  std::vector<Cidr> ranges;
  std::optional<Error> first_error;
  for (const std::string& value : values) {
    for_each_list_element(value, [&](std::string_view text) {
      if (first_error) return;
      Result<Cidr> range = Cidr::parse(text);
      if (!range) {
        first_error = range.error();
      } else {
        ranges.push_back(*range);
      }
    });
  }
  if (first_error) return fail(*std::move(first_error));
  return ranges;
}

bool contains(std::span<const Cidr> ranges, const IpAddress& address) {
  return std::ranges::any_of(ranges, [&](const Cidr& range) { return range.contains(address); });
}

}  // namespace sandgate::gateway
