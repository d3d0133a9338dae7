// SPDX-License-Identifier: Apache-2.0
//
// How an upstream ends: with its loops running, before them, and with a probe under way.
#include "gateway/upstream.h"

#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <future>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "gateway/testing/fake_upstream.h"
#include "net/loop_thread.h"

namespace sandgate::gateway {
namespace {

using testing::Conversation;
using testing::FakePool;
using testing::ServerScript;

// One server whose health check never gets an answer, on loops of their own threads.
class UpstreamEnd : public ::testing::Test {
 protected:
  UpstreamEnd() {
    for (unsigned i = 0; i < 2; ++i) {
      threads.push_back(std::make_unique<net::LoopThread>(i));
      loops.push_back(threads.back().get());
    }
    UpstreamOptions options;
    options.name = "workers";
    options.servers.resize(1);
    options.servers[0].host = "127.0.0.1";
    options.health_check.emplace();
    Upstream::Surroundings surroundings;
    surroundings.loops = loops;
    // The server's pools on the loops, then the check's.
    surroundings.make_pool = [this](Loop&, const std::vector<net::Address>&, const net::PoolOptions&) {
      return std::make_unique<FakePool>(scripts.emplace_back());
    };
    upstream = std::move(*Upstream::create(options, surroundings));
    watched = upstream->weak_from_this();
    scripts.back().expect().hold_answer = true;
    probe = scripts.back().kept.back();
  }
  void start() {
    for (auto& thread : threads) thread->start({});
  }
  // On the first loop, which looks after the server.
  bool probe_is_out() {
    for (int i = 0; i < 4000; ++i) {
      std::promise<bool> looked;
      loops[0]->post([&] { looked.set_value(!probe->request.empty()); });
      if (looked.get_future().get()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }
  void end_loops() {
    for (auto& thread : threads) thread->stop();
  }

  std::vector<std::unique_ptr<net::LoopThread>> threads;
  std::vector<Loop*> loops;
  std::deque<ServerScript> scripts;  // stay where they are
  std::shared_ptr<Conversation> probe;
  std::shared_ptr<Upstream> upstream;
  std::weak_ptr<Upstream> watched;
};

TEST_F(UpstreamEnd, AProbeUnderWayEndsWhenTheUpstreamIsLetGo) {
  start();
  ASSERT_TRUE(probe_is_out());
  upstream.reset();
  end_loops();
  EXPECT_TRUE(watched.expired()) << "a frame that stays behind holds it";
  EXPECT_TRUE(probe->aborted());
}

TEST_F(UpstreamEnd, AProbeUnderWayEndsWithStopAndTheLoops) {
  start();
  ASSERT_TRUE(probe_is_out());
  upstream->stop();
  end_loops();
  EXPECT_TRUE(probe->aborted());
  upstream.reset();
  EXPECT_TRUE(watched.expired());
}

TEST_F(UpstreamEnd, LoopsThatNeverRanHoldNothing) {
  upstream.reset();
  threads.clear();
  EXPECT_TRUE(watched.expired());
}

TEST_F(UpstreamEnd, WhatIsLetGoAfterItsLoopsEndedIsGoneAtOnce) {
  start();
  upstream->stop();
  end_loops();
  upstream.reset();
  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace sandgate::gateway
