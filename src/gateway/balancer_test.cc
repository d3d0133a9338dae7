// SPDX-License-Identifier: Apache-2.0
#include "gateway/balancer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>

#include "gateway/testing/fake_upstream.h"
#include "tests/support/fake_loop.h"

namespace sandgate::gateway {
namespace {

using testing::FakeUpstream;

class BalancerTest : public ::testing::Test {
 protected:
  void prepare(std::size_t servers, UpstreamOptions options = {}, std::vector<unsigned> weights = {}) {
    options.servers.resize(servers);
    for (std::size_t i = 0; i < weights.size(); ++i) options.servers[i].weight = weights[i];
    fake = std::make_unique<FakeUpstream>(loop, servers, options);
    balancer = std::make_unique<Balancer>(fake->upstream->options(), fake->upstream->servers(), loop);
  }
  static std::string name(const Choice& choice) {
    if (choice.server != nullptr) return std::string(choice.server->authority().substr(0, 2));
    return choice.full ? "full" : "none";
  }
  std::string pick(std::optional<std::string_view> key = std::nullopt) {
    TriedServers tried;
    return name(balancer->choose(tried, key));
  }
  std::string picks(int count) {
    std::string order;
    for (int i = 0; i < count; ++i) order += pick();
    return order;
  }
  // All that one exchange would go to.
  std::string all() {
    TriedServers tried;
    std::string order;
    for (;;) {
      Choice choice = balancer->choose(tried, std::nullopt);
      if (choice.server == nullptr) return order;
      order += name(choice);
    }
  }
  std::map<std::string, int> shares(int count, Balance) {
    std::map<std::string, int> found;
    for (int i = 0; i < count; ++i) ++found[pick("key " + std::to_string(i))];
    return found;
  }
  static UpstreamOptions balanced(Balance balance) {
    UpstreamOptions options;
    options.balance = balance;
    return options;
  }
  void occupy(std::size_t server, int requests) {
    for (int i = 0; i < requests; ++i) fake->server(server).on(loop).started.add();
  }

  test::FakeLoop loop;
  std::unique_ptr<FakeUpstream> fake;
  std::unique_ptr<Balancer> balancer;
};

TEST_F(BalancerTest, GoesRound) {
  prepare(3);
  EXPECT_EQ(picks(7), "s0s1s2s0s1s2s0");
}

TEST_F(BalancerTest, LoopsStartAtDifferentServers) {
  prepare(3);
  test::FakeLoop second(1);
  UpstreamOptions unbounded = fake->upstream->options();
  unbounded.connections.connections_max = 0;  // the fake has pools for one loop only
  prepare(3, unbounded);
  Balancer other(fake->upstream->options(), fake->upstream->servers(), second);
  TriedServers tried;
  EXPECT_EQ(pick(), "s0");
  EXPECT_EQ(name(other.choose(tried, std::nullopt)), "s1");
  EXPECT_EQ(pick(), "s1");
}

TEST_F(BalancerTest, SharesTheLoadOfADownServerEvenly) {
  prepare(3);
  fake->mark_down(0, loop);
  EXPECT_EQ(fake->upstream->servers_up(), 2U);
  EXPECT_EQ(picks(6), "s1s2s1s2s1s2");
}

TEST_F(BalancerTest, MakesOneTrialAfterAWhile) {
  prepare(2);
  Milliseconds down_for = fake->upstream->options().ejection.time;
  fake->mark_down(0, loop);
  loop.advance(down_for - Milliseconds(1));
  EXPECT_EQ(picks(2), "s1s1");
  loop.advance(Milliseconds(1));
  EXPECT_EQ(pick(), "s0") << "the trial";
  EXPECT_EQ(picks(2), "s1s1") << "one trial only";
  ServerHealth& health = fake->server(0).health();
  health.succeeded(health.era(), loop);
  EXPECT_EQ(pick(), "s0");
}

TEST_F(BalancerTest, TriesEachServerOnceWhenAllAreDown) {
  prepare(3);
  for (std::size_t i = 0; i < 3; ++i) fake->mark_down(i, loop);
  EXPECT_EQ(all(), "s0s1s2");
}

TEST_F(BalancerTest, PrefersServersThatAreUpAmongTheUntried) {
  prepare(3);
  fake->mark_down(1, loop);
  EXPECT_EQ(all(), "s0s2s1");
}

TEST_F(BalancerTest, ADrainedServerGetsNothingEvenWhenAllOthersAreDown) {
  prepare(2);
  fake->server(0).set_draining(true);
  fake->mark_down(1, loop);
  EXPECT_EQ(all(), "s1");
  fake->server(1).set_draining(true);
  EXPECT_EQ(all(), "");
  fake->server(0).set_draining(false);
  EXPECT_EQ(pick(), "s0");
}

TEST_F(BalancerTest, WeightsAreSharesAndMixed) {
  prepare(2, {}, {3, 1});
  EXPECT_EQ(picks(8), "s0s0s1s0s0s0s1s0");
}

TEST_F(BalancerTest, AWeightCanBeChanged) {
  prepare(2);
  ASSERT_TRUE(fake->server(1).set_weight(2));
  std::string order = picks(6);
  EXPECT_EQ(std::ranges::count(order, '1'), 4) << order;
  EXPECT_EQ(fake->server(1).set_weight(0).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(fake->server(1).set_weight(257).error().kind, ErrorKind::kInvalid);
}

TEST_F(BalancerTest, ASlowStartGivesAGrowingShare) {
  UpstreamOptions options;
  options.slow_start = Milliseconds(16'000);
  prepare(2, options);
  EXPECT_EQ(picks(4), "s0s1s0s1") << "nobody is warmed up at the start of the gateway";
  fake->server(0).set_draining(true);
  fake->server(0).health().set_draining(false, loop.now());
  std::string cold = picks(34);
  EXPECT_EQ(std::ranges::count(cold, '0'), 2) << "a sixteenth";
  loop.advance(Milliseconds(8'000));
  std::string warm = picks(30);
  EXPECT_EQ(std::ranges::count(warm, '0'), 10) << "half of its weight";
  loop.advance(Milliseconds(8'000));
  std::string hot = picks(10);
  EXPECT_EQ(std::ranges::count(hot, '0'), 5);
}

TEST_F(BalancerTest, LeastRequestsGoesWhereTheFewestAreForTheirWeight) {
  prepare(3, balanced(Balance::kLeastRequests), {1, 1, 4});
  occupy(0, 2);
  occupy(1, 1);
  occupy(2, 6);
  EXPECT_EQ(pick(), "s2");
  occupy(2, 2);
  EXPECT_EQ(pick(), "s1");
}

TEST_F(BalancerTest, LeastRequestsTakesTurnsAmongEquals) {
  prepare(3, balanced(Balance::kLeastRequests));
  EXPECT_EQ(picks(6), "s0s1s2s0s1s2");
}

TEST_F(BalancerTest, TwoChoicesAvoidsTheBusyOne) {
  prepare(3, balanced(Balance::kTwoChoices));
  occupy(1, 1000);
  std::map<std::string, int> found = shares(600, Balance::kTwoChoices);
  EXPECT_EQ(found["s1"], 0);
  EXPECT_GT(found["s0"], 200);
  EXPECT_GT(found["s2"], 200);
}

TEST_F(BalancerTest, TwoChoicesDrawsByWeight) {
  prepare(2, balanced(Balance::kTwoChoices), {9, 1});
  std::map<std::string, int> found = shares(1000, Balance::kTwoChoices);
  EXPECT_NEAR(found["s1"], 100, 60);
}

TEST_F(BalancerTest, TheSameKeyGoesToTheSameServer) {
  prepare(5, balanced(Balance::kConsistentHash));
  for (int key = 0; key < 50; ++key) {
    std::string first = pick(std::to_string(key));
    EXPECT_EQ(pick(std::to_string(key)), first);
  }
  std::set<std::string> without_key;
  for (int i = 0; i < 5; ++i) without_key.insert(pick());
  EXPECT_EQ(without_key.size(), 5U) << "without a key they take turns";
}

TEST_F(BalancerTest, KeysSpreadByWeight) {
  prepare(3, balanced(Balance::kConsistentHash), {1, 1, 2});
  std::map<std::string, int> found = shares(4000, Balance::kConsistentHash);
  EXPECT_NEAR(found["s0"], 1000, 150);
  EXPECT_NEAR(found["s1"], 1000, 150);
  EXPECT_NEAR(found["s2"], 2000, 200);
}

TEST_F(BalancerTest, AServerThatLeavesMovesOnlyItsOwnKeys) {
  prepare(4, balanced(Balance::kConsistentHash));
  std::map<int, std::string> before;
  for (int key = 0; key < 200; ++key) before[key] = pick(std::to_string(key));
  fake->server(2).set_draining(true);
  for (const auto& [key, server] : before) {
    std::string now = pick(std::to_string(key));
    if (server != "s2") EXPECT_EQ(now, server);
    EXPECT_NE(now, "s2");
  }
}

}  // namespace
}  // namespace sandgate::gateway
