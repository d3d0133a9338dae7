// SPDX-License-Identifier: Apache-2.0
#include "net/client_connections.h"

#include <netinet/in.h>

#include <cstring>

#include "base/check.h"

namespace sandgate::net {
namespace {

// Networks of IPv6 that no client can have: they are of multicast addresses (RFC 4291 section 2.7).
constexpr std::uint64_t kIpv4Half = 0xffff'ffff'0000'0000;

std::uint64_t read_network_order(const unsigned char* bytes, std::size_t count) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < count; ++i) number = number << 8 | bytes[i];
  return number;
}

}  // namespace

ClientKey::ClientKey(const Address& address) {
  if (address.storage.ss_family == AF_INET) {
    const auto& ipv4 = reinterpret_cast<const sockaddr_in&>(address.storage);
    network_ = kIpv4Half | ntohl(ipv4.sin_addr.s_addr);
    counted_ = true;
  } else if (address.storage.ss_family == AF_INET6) {
    const unsigned char* bytes = reinterpret_cast<const sockaddr_in6&>(address.storage).sin6_addr.s6_addr;
    const bool mapped = IN6_IS_ADDR_V4MAPPED(&reinterpret_cast<const sockaddr_in6&>(address.storage).sin6_addr);
    network_ = mapped ? kIpv4Half | read_network_order(bytes + 12, 4) : read_network_order(bytes, 8);
    counted_ = true;
  }
}

ClientConnections::Shard& ClientConnections::shard_of(const ClientKey& client) {
  // The top bits of a product with an odd number depend on all bits.
  constexpr unsigned kShift = 58;
  static_assert(kShards == std::size_t{1} << (64 - kShift));
  return shards_[client.network() * 0x9e3779b97f4a7c15 >> kShift];
}

bool ClientConnections::enter(const ClientKey& client, Place& place) {
  if (most_ == 0 || !client.counted()) return true;
  Shard& shard = shard_of(client);
  {
    std::lock_guard lock(shard.mutex);
    // Never an entry for one that is refused: there is one already.
    auto found = shard.counts.find(client.network());
    if (found == shard.counts.end()) {
      shard.counts.emplace(client.network(), 1);
    } else if (found->second >= most_) {
      return false;
    } else {
      ++found->second;
    }
  }
  place = Place(*this, client);
  return true;
}

void ClientConnections::leave(const ClientKey& client) {
  Shard& shard = shard_of(client);
  std::lock_guard lock(shard.mutex);
  auto found = shard.counts.find(client.network());
  SANDGATE_CHECK(found != shard.counts.end());
  if (--found->second == 0) shard.counts.erase(found);
}

void ClientConnections::Place::release() {
  if (owner_ != nullptr) std::exchange(owner_, nullptr)->leave(key_);
}

std::size_t ClientConnections::clients() const {
  std::size_t sum = 0;
  for (const Shard& shard : shards_) {
    std::lock_guard lock(shard.mutex);
    sum += shard.counts.size();
  }
  return sum;
}

}  // namespace sandgate::net
