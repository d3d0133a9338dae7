// SPDX-License-Identifier: Apache-2.0
//
// The header of the PROXY protocol (HAProxy's proxy-protocol.txt, versions 1 and 2): what a proxy that passes a TCP
// connection on says first, about who opened it. Pure: bytes in, addresses out. Only whoever is trusted may be asked
// for it, and then it must come: a connection where it is optional lets clients choose their address.
#pragma once

#include <cstddef>
#include <string_view>

#include "net/address.h"

namespace sandgate::net {

// A line of version 1 with its CRLF: the longest that the document allows.
inline constexpr std::size_t kProxyLineBytesMax = 107;
// A header of version 2 with everything in it. The document promises no more than 536 in one packet; names and
// certificates in the fields behind the addresses can make it longer.
inline constexpr std::size_t kProxyHeaderBytesMax = 2048;

struct ProxyHeader {
  enum class Client : unsigned char {
    kTold,         // it is `source`
    kUnknown,      // somebody of whom the proxy knows no IP address (UNKNOWN, AF_UNSPEC, a Unix socket)
    kProxyItself,  // nobody: the proxy's own connection (LOCAL), such as a health check
  };
  Client client = Client::kUnknown;
  Address source;       // of the client; when it is told
  Address destination;  // what the client connected to; when the client is told
};

struct ProxyHeaderResult {
  enum class Kind : unsigned char { kMore, kDone, kMalformed };
  Kind kind = Kind::kMore;
  std::size_t consumed = 0;  // bytes of the header; when done
  ProxyHeader header;
};

// Reads the header that `bytes` begin with. kMalformed as soon as they can no longer become one: another beginning, an
// unknown version, command or protocol (datagrams among them), addresses and ports that are none, blanks or zeros too
// many, a length that does not hold its addresses or is above the bounds. Fields behind the addresses are skipped.
ProxyHeaderResult parse_proxy_header(std::string_view bytes);

}  // namespace sandgate::net
