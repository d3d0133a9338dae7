// SPDX-License-Identifier: Apache-2.0
//
// Key-value stores in a Redis, which several gateways share. Loops have a connection each, up to a number; the others
// hand over to those. While Redis is away, OnUnavailable says what operations answer.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "capability/key_value/memory_stores.h"
#include "capability/key_value/redis_connection.h"
#include "capability/key_value/state_options.h"
#include "capability/key_value/store_names.h"
#include "capability/key_value/stores.h"
#include "net/resolver.h"

namespace sandgate::capability {

class RedisStores final : public Stores, private RedisConnection::Owner {
 public:
  // Looks at Redis's keys that one call of list-keys may cause, each at some 500 of them; a page may be empty then.
  static constexpr unsigned kScansMax = 16;

  // `loops` by index, at least one; they outlive this. Connects as soon as they run. Blocking: the file of authorities
  // is read. kInvalid: that file cannot be used.
  static Result<std::unique_ptr<RedisStores>> create(const StateOptions& options, StateUrl url,
                                                     const std::vector<net::LoopThread*>& loops,
                                                     const StoreLimits& limits);
  ~RedisStores() override;

  std::optional<std::uint64_t> open(std::string_view name) override { return names_.number(name); }
  void serve(unsigned loop, const sandbox::KeyValueRequest& request, Done done) override;
  // Whether every connection is up.
  std::optional<bool> reachable() const override;
  void stop() override;

 private:
  struct Operation;

  RedisStores(const StateOptions& options, StateUrl url, const std::shared_ptr<net::TlsClient>& tls,
              const std::vector<net::LoopThread*>& loops, const StoreLimits& limits);

  void send(RedisConnection& connection, const std::string& command, std::unique_ptr<Operation> operation);
  void replied(RedisConnection& connection, std::unique_ptr<Operation> operation, RedisReply* reply);
  Answer stand_in(const sandbox::KeyValueRequest& request);

  void came_up() override;
  void went_down() override { --up_; }
  void is_away(std::string_view why) override;

  const StateOptions options_;
  const StateUrl url_;
  const StoreLimits limits_;
  const std::vector<net::LoopThread*> loops_;
  StoreNames names_;
  MemoryStores local_;
  std::atomic<unsigned> up_{0};
  std::atomic<bool> away_{false};
  net::Resolver resolver_;
  std::vector<std::unique_ptr<RedisConnection>> connections_;  // the n-th on the n-th loop
};

}  // namespace sandgate::capability
