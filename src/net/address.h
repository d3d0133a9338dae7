// SPDX-License-Identifier: Apache-2.0
//
// Where to listen and where to connect, and how they are written. No I/O but the name look-up, which blocks: for
// start-up and threads of its own (resolver.h).
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sandgate::net {

// A socket address of the operating system: IPv4, IPv6 or a Unix socket.
struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;

  bool is_loopback() const;       // 127.0.0.0/8, ::1, ::ffff:127.0.0.0/104, or a Unix socket
  bool is_any() const;            // 0.0.0.0 or ::
  std::string host_text() const;  // "127.0.0.1", "::1", "unix"; IPv4-mapped IPv6 as IPv4
  std::uint16_t port() const;
  std::string text() const;  // "127.0.0.1:80", "[::1]:80", "unix:/path"
  bool operator==(const Address& other) const;
};

// More addresses of a name than this are not looked at: enough for the round robin of a fleet's DNS.
inline constexpr std::size_t kAddressesMax = 16;

// `host` is an IP literal (IPv6 without brackets) or a name; of several addresses an IPv4 one is preferred. kNotFound
// when there is none.
Result<Address> resolve(std::string_view host, std::uint16_t port);
// All of them, at most kAddressesMax; IPv6 ones only when there is no IPv4 one. Blocks.
Result<std::vector<Address>> resolve_all(std::string_view host, std::uint16_t port);
// "HOST:PORT" (IPv6 in brackets; port 0 lets the system choose) or "unix:/path". kInvalid says what is wrong and shows
// the right form; kNotFound as above.
Result<Address> parse_listen_address(std::string_view text);

}  // namespace sandgate::net
