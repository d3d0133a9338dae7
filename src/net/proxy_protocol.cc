// SPDX-License-Identifier: Apache-2.0
#include "net/proxy_protocol.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>

#include "base/ascii.h"

namespace sandgate::net {
namespace {

using Kind = ProxyHeaderResult::Kind;

constexpr std::string_view kLineBegin = "PROXY ";
constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kFixedBytes = 16;
constexpr std::size_t kIpv4Bytes = 12;   // two addresses, two ports
constexpr std::size_t kIpv6Bytes = 36;   // the same
constexpr std::size_t kUnixBytes = 216;  // two paths

constexpr ProxyHeaderResult kNeedsMore{};
constexpr ProxyHeaderResult kRefused{.kind = Kind::kMalformed, .consumed = 0, .header = {}};

unsigned byte_at(std::string_view bytes, std::size_t at) { return static_cast<unsigned char>(bytes[at]); }

// `address` has four or sixteen bytes in network order.
Address make_address(std::string_view address, std::uint16_t port) {
  Address made;
  if (address.size() == sizeof(in_addr)) {
    auto& ipv4 = reinterpret_cast<sockaddr_in&>(made.storage);
    ipv4.sin_family = AF_INET;
    ipv4.sin_port = htons(port);
    std::memcpy(&ipv4.sin_addr, address.data(), sizeof(in_addr));
    made.length = sizeof(sockaddr_in);
  } else {
    auto& ipv6 = reinterpret_cast<sockaddr_in6&>(made.storage);
    ipv6.sin6_family = AF_INET6;
    ipv6.sin6_port = htons(port);
    std::memcpy(&ipv6.sin6_addr, address.data(), sizeof(in6_addr));
    made.length = sizeof(sockaddr_in6);
  }
  return made;
}

// Version 1.

std::optional<std::uint16_t> parse_port(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  unsigned port = 0;
  for (char c : text) {
    if (!ascii_digit(c)) return std::nullopt;
    port = port * 10 + static_cast<unsigned>(c - '0');
  }
  if (port > 0xffff) return std::nullopt;
  return static_cast<std::uint16_t>(port);
}

std::optional<Address> parse_address(int family, std::string_view text, std::string_view port_text) {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  std::array<char, sizeof(in6_addr)> raw{};
  std::optional<std::uint16_t> port = parse_port(port_text);
  if (!port || text.size() >= terminated.size() || text.find('\0') != std::string_view::npos) return std::nullopt;
  text.copy(terminated.data(), text.size());
  if (::inet_pton(family, terminated.data(), raw.data()) != 1) return std::nullopt;
  return make_address({raw.data(), family == AF_INET ? sizeof(in_addr) : sizeof(in6_addr)}, *port);
}

// Exactly four words with one blank between them.
std::optional<std::array<std::string_view, 4>> four_words(std::string_view text) {
  std::array<std::string_view, 4> words;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::size_t blank = text.find(' ');
    if ((blank == std::string_view::npos) != (i + 1 == words.size())) return std::nullopt;
    words[i] = text.substr(0, blank);
    text.remove_prefix(blank == std::string_view::npos ? text.size() : blank + 1);
  }
  return words;
}

ProxyHeaderResult parse_line(std::string_view bytes) {
  std::size_t end = bytes.substr(0, kProxyLineBytesMax).find("\r\n");
  if (end == std::string_view::npos) return bytes.size() < kProxyLineBytesMax ? kNeedsMore : kRefused;
  std::string_view line = bytes.substr(kLineBegin.size(), end - kLineBegin.size());
  ProxyHeaderResult result{.kind = Kind::kDone, .consumed = end + 2, .header = {}};
  // Whatever follows the word is to be ignored.
  if (line == "UNKNOWN" || line.starts_with("UNKNOWN ")) return result;
  constexpr std::string_view kIpv4 = "TCP4 ";
  constexpr std::string_view kIpv6 = "TCP6 ";
  if (!line.starts_with(kIpv4) && !line.starts_with(kIpv6)) return kRefused;
  int family = line.starts_with(kIpv4) ? AF_INET : AF_INET6;
  auto words = four_words(line.substr(kIpv4.size()));
  if (!words) return kRefused;
  std::optional<Address> source = parse_address(family, (*words)[0], (*words)[2]);
  std::optional<Address> destination = parse_address(family, (*words)[1], (*words)[3]);
  if (!source || !destination) return kRefused;
  result.header = {ProxyHeader::Client::kTold, *source, *destination};
  return result;
}

// Version 2.

std::uint16_t number_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(byte_at(bytes, at) << 8 | byte_at(bytes, at + 1));
}

// Two addresses of `size` bytes, then their ports.
ProxyHeader told(std::string_view content, std::size_t size) {
  return {ProxyHeader::Client::kTold, make_address(content.substr(0, size), number_at(content, 2 * size)),
          make_address(content.substr(size, size), number_at(content, 2 * size + 2))};
}

// What the byte of family and protocol needs behind the fixed part; nothing when it is not served.
std::optional<std::size_t> address_bytes(unsigned family_and_protocol) {
  switch (family_and_protocol) {
    case 0x00: return 0;  // unspecified
    case 0x11: return kIpv4Bytes;
    case 0x21: return kIpv6Bytes;
    case 0x31: return kUnixBytes;
    default: return std::nullopt;  // datagrams, and what nobody has defined
  }
}

ProxyHeaderResult parse_binary(std::string_view bytes) {
  constexpr unsigned kVersion = 2;
  if (bytes.size() <= kSignature.size()) return kNeedsMore;
  const unsigned version = byte_at(bytes, 12) >> 4;
  const unsigned command = byte_at(bytes, 12) & 15;
  if (version != kVersion || command > 1) return kRefused;
  if (bytes.size() < kFixedBytes) return kNeedsMore;
  const unsigned family = byte_at(bytes, 13);
  const std::size_t length = number_at(bytes, 14);
  if (kFixedBytes + length > kProxyHeaderBytesMax) return kRefused;
  const bool local = command == 0;
  const std::optional<std::size_t> needed = address_bytes(family);
  // The proxy's own connection has a length to skip, and nothing else that counts.
  if (!local && (!needed || length < *needed)) return kRefused;
  if (bytes.size() < kFixedBytes + length) return kNeedsMore;
  ProxyHeaderResult result{.kind = Kind::kDone, .consumed = kFixedBytes + length, .header = {}};
  const std::string_view content = bytes.substr(kFixedBytes, length);
  if (local) {
    result.header.client = ProxyHeader::Client::kProxyItself;
  } else if (*needed == kIpv4Bytes) {
    result.header = told(content, sizeof(in_addr));
  } else if (*needed == kIpv6Bytes) {
    result.header = told(content, sizeof(in6_addr));
  }
  return result;
}

}  // namespace

ProxyHeaderResult parse_proxy_header(std::string_view bytes) {
  for (std::string_view begin : {kLineBegin, kSignature}) {
    const std::size_t common = std::min(begin.size(), bytes.size());
    if (bytes.substr(0, common) != begin.substr(0, common)) continue;
    if (common < begin.size()) return kNeedsMore;
    return begin.data() == kLineBegin.data() ? parse_line(bytes) : parse_binary(bytes);
  }
  return kRefused;
}

}  // namespace sandgate::net
