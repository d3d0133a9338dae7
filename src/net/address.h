// SPDX-License-Identifier: Apache-2.0
//
// Where to listen and where to connect, and how they are written. No I/O but the name look-up, which blocks and is for
// start-up only.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

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
};

// `host` is an IP literal (IPv6 without brackets) or a name; of several addresses an IPv4 one is preferred. kNotFound
// when there is none.
Result<Address> resolve(std::string_view host, std::uint16_t port);
// "HOST:PORT" (IPv6 in brackets; port 0 lets the system choose) or "unix:/path". kInvalid says what is wrong and shows
// the right form; kNotFound as above.
Result<Address> parse_listen_address(std::string_view text);

}  // namespace sandgate::net
