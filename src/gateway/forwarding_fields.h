// SPDX-License-Identifier: Apache-2.0
//
// What a request says about where it came from, made true before any handler sees it: exchange.client, and the fields
// Forwarded, X-Forwarded-* and X-Real-IP. Shared by all loops, immutable.
//
// From a peer that is no trusted proxy every such field is removed, and then set: X-Forwarded-For and X-Real-IP to the
// peer, X-Forwarded-Proto to "http", X-Forwarded-Host to the authority. The client is the peer.
//
// From a trusted proxy:
// - X-Forwarded-For (its lines joined in order) is walked from the right. Each element must be an IP address, with a
// port at most ("192.0.2.1", "192.0.2.1:80",
//   "2001:db8::1", "[2001:db8::1]:80"). The walk passes over trusted proxies; the first other address is the client. If
//   all are trusted the leftmost is. An element that is no address ends the walk: it and all to its left are cut off,
//   since nobody vouches for them, and the client is the address to its right, or the peer. What lies left of the
//   client is passed on unread. At most kHopsMax elements are walked. Then the peer is appended.
// - Without X-Forwarded-For, Forwarded (RFC 7239) is walked in the same way over its for= parameters; "unknown",
// "_hidden" and everything malformed end the walk.
//   X-Forwarded-For becomes "CLIENT, PEER". With both, X-Forwarded-For counts. Forwarded itself is passed on; when it
//   cannot be parsed it is removed.
// - X-Forwarded-Proto is kept when there is one line with "http" or "https", X-Forwarded-Host when there is one with a
// valid authority, X-Real-IP when
//   there is one with an IP address; otherwise each is set as above, X-Real-IP to the client. X-Forwarded-Port is kept
//   when there is one line of digits, else removed. Other X-Forwarded-* are kept.
// A trusted proxy is trusted for all of these: it must set or remove what its own clients send.
//
// Their names written with "_" for "-" are removed from everybody's requests: many upstreams read both alike.
//
// A peer on a Unix socket has no address: it adds none, and X-Real-IP is set only when a client is known.
//
// Fields that Connection names are removed here too, before modules add fields that a client could otherwise have
// removed again.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "exchange/exchange.h"
#include "gateway/cidr.h"

namespace sandgate::gateway {

class ForwardingFields {
 public:
  // Longer chains of proxies do not exist; each element costs a parse.
  static constexpr std::size_t kHopsMax = 32;

  // Trusts the ranges given and nobody else. With nothing given: the loopback addresses.
  ForwardingFields() = default;
  explicit ForwardingFields(std::vector<Cidr> trusted_proxies)
      : trusted_(std::move(trusted_proxies)), loopback_only_(false) {}

  // Once for each exchange, before its handlers. Text it adds is in the exchange's arena, the peer's address or static.
  void apply(Exchange& exchange) const;
  // After apply(): whether the client itself, not only a proxy before it, is at a trusted address.
  bool trusts_client(const Exchange& exchange) const;

 private:
  bool trusts(const Peer& peer) const;
  bool trusts(const IpAddress& address) const;
  void replace_all(Exchange& exchange) const;
  void extend(Exchange& exchange) const;
  std::string_view walk_forwarded_for(std::string_view& list, std::string_view client) const;
  std::string_view walk_forwarded(std::string_view list, std::string_view client, bool& malformed) const;

  std::vector<Cidr> trusted_;
  bool loopback_only_ = true;
};

}  // namespace sandgate::gateway
