// SPDX-License-Identifier: Apache-2.0
//
// Stores in a Redis, on loops of their own.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "capability/key_value/owned_request.h"
#include "capability/key_value/redis_stores.h"
#include "capability/key_value/testing/asking.h"
#include "net/loop_thread.h"

namespace sandgate::capability::testing {

// What guests do: asks on the loop's thread.
class LoopedRedis final : public Stores {
 public:
  explicit LoopedRedis(const StateOptions& options, unsigned loops = 2) {
    std::vector<net::LoopThread*> all;
    for (unsigned i = 0; i < loops; ++i) {
      loops_.push_back(std::make_unique<net::LoopThread>(i));
      all.push_back(loops_.back().get());
    }
    Result<StateUrl> url = parse_state_url(options.url);
    SANDGATE_CHECK(url.has_value());
    Result<std::unique_ptr<RedisStores>> made = RedisStores::create(options, *url, all, StoreLimits());
    SANDGATE_CHECK(made.has_value());
    stores_ = std::move(*made);
    for (auto& loop : loops_) loop->start({});
  }
  ~LoopedRedis() override {
    stores_->stop();
    for (auto& loop : loops_) loop->stop();
  }

  std::optional<std::uint64_t> open(std::string_view name) override { return stores_->open(name); }
  void serve(unsigned loop, const sandbox::KeyValueRequest& request, Done done) override {
    struct Job {
      OwnedRequest request;
      Done done;
    };
    auto job = std::make_shared<Job>(OwnedRequest(request), std::move(done));
    loops_[loop]->post([this, loop, job] { stores_->serve(loop, job->request.view(), std::move(job->done)); });
  }
  std::optional<bool> reachable() const override { return stores_->reachable(); }

  // Whether it became so within the patience.
  bool wait_until_reachable(bool wanted) const {
    for (int i = 0; i < 4000; ++i) {
      if (reachable() == wanted) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }

 private:
  std::vector<std::unique_ptr<net::LoopThread>> loops_;  // outlive the stores
  std::unique_ptr<RedisStores> stores_;
};

}  // namespace sandgate::capability::testing
