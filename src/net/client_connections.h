// SPDX-License-Identifier: Apache-2.0
//
// How many connections each client has open, over all loops, and the bound on them. Any thread; one lock of many for a
// moment when a connection begins and when it ends, none for a request. Holds one entry for each client that has a
// connection, so no more than connections_max.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "net/address.h"

namespace sandgate::net {

// Who is one client: an IPv4 address, or the network of 64 bits that an IPv6 address is in, since whoever has one has
// all of them.
class ClientKey {
 public:
  ClientKey() = default;
  explicit ClientKey(const Address& address);

  // Peers on Unix sockets have no address: they are not counted.
  bool counted() const { return counted_; }
  bool operator==(const ClientKey&) const = default;
  std::uint64_t network() const { return network_; }

 private:
  std::uint64_t network_ = 0;  // of IPv4: the address, in a range that no IPv6 client has
  bool counted_ = false;
};

class ClientConnections {
 public:
  // `most` of one client; 0: no bound, and nothing is counted.
  explicit ClientConnections(std::size_t most) : most_(most) {}
  ClientConnections(const ClientConnections&) = delete;
  ClientConnections& operator=(const ClientConnections&) = delete;

  // A connection that counts, until it is destroyed.
  class Place {
   public:
    Place() = default;
    Place(Place&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)), key_(other.key_) {}
    Place& operator=(Place&& other) noexcept {
      std::swap(owner_, other.owner_);
      std::swap(key_, other.key_);
      return *this;
    }
    ~Place() { release(); }
    void release();

   private:
    friend class ClientConnections;
    Place(ClientConnections& owner, const ClientKey& key) : owner_(&owner), key_(key) {}
    ClientConnections* owner_ = nullptr;  // null: nothing is counted
    ClientKey key_;
  };

  // False when the client has as many as it may.
  bool enter(const ClientKey& client, Place& place);
  // Clients that have a connection now.
  std::size_t clients() const;

 private:
  // So that two loops seldom meet at a lock.
  static constexpr std::size_t kShards = 64;
  struct alignas(64) Shard {
    mutable std::mutex mutex;
    std::unordered_map<std::uint64_t, std::size_t> counts;
  };

  Shard& shard_of(const ClientKey& client);
  void leave(const ClientKey& client);

  const std::size_t most_;
  std::array<Shard, kShards> shards_;
};

}  // namespace sandgate::net
