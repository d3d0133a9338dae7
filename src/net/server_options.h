// SPDX-License-Identifier: Apache-2.0
//
// What an HTTP server allows its clients.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "base/loop.h"
#include "http/limits.h"
#include "net/address.h"

namespace sandgate::net {

struct ServerOptions {
  http::HeadLimits head_limits;
  Milliseconds head{
      10'000};  // from the first byte of a head to its last, in all: a slow head is cut however steadily it drips
  Milliseconds idle{75'000};   // between requests
  Milliseconds body{30'000};   // without a byte of a body that somebody waits for
  Milliseconds write{60'000};  // without progress while the client should read
  // Open connections of the process. Each costs at most 8 KiB idle; a descriptor more for its upstream.
  std::size_t connections_max = 8192;
  // Of these, by the IPv4 address or the IPv6 network of 64 bits that the client has; 0: no bound.
  std::size_t connections_per_client_max = 0;
  // Whether a peer is a proxy whose connections begin with a PROXY protocol header: then they must, within `head`.
  // Empty: nobody is. Any loop.
  std::function<bool(const Address& peer)> proxy_protocol_from;
  unsigned unix_socket_mode = 0;  // permissions of a Unix socket; 0: as the umask has it
};

// Read by metrics, written by loops and listeners.
struct ServerCounters {
  std::atomic<std::uint64_t> accepted{0};
  std::atomic<std::uint64_t> open{0};
  std::atomic<std::uint64_t> refused_heads{0};  // answered 4xx/5xx by the codec before a handler saw them
  std::atomic<std::uint64_t> timed_out_heads{0};
  std::atomic<std::uint64_t> refused_proxy_headers{0};  // malformed, late, or none where one must be
  std::atomic<std::uint64_t> refused_clients{0};        // closed at once: the client had as many connections as it may
  std::atomic<std::uint64_t> accept_pauses{0};          // at the limit of connections or out of descriptors
};

}  // namespace sandgate::net
