// SPDX-License-Identifier: Apache-2.0
#include "gateway/server_health.h"

#include <gtest/gtest.h>

#include <array>

#include "tests/support/fake_loop.h"

namespace sandgate::gateway {
namespace {

using Failure = ServerHealth::Failure;

class ServerHealthTest : public ::testing::Test {
 protected:
  ServerHealthTest() {
    options.health_check.emplace();
    options.ejection.failures = 3;
  }
  void fail_often(ServerHealth& server, unsigned times, Failure failure = Failure::kBadAnswer) {
    for (unsigned i = 0; i < times; ++i) server.failed(server.era(), failure, loop);
  }
  bool admits() { return health.admits(loop.now()); }
  void probe(bool passed, int times) {
    for (int i = 0; i < times; ++i) health.probed(passed, loop.now());
  }

  test::FakeLoop loop;
  UpstreamOptions options;
  EjectionRoom room{4, 50};
  ServerHealth health{options, room};
};

TEST_F(ServerHealthTest, IsOutAtOnceWhenItCannotBeReached) {
  fail_often(health, 1, Failure::kUnreached);
  EXPECT_TRUE(health.ejected());
  EXPECT_FALSE(admits());
  EXPECT_EQ(health.ejections(), 1U);
}

TEST_F(ServerHealthTest, IsOutAfterBadAnswersInARow) {
  fail_often(health, 2);
  health.succeeded(health.era(), loop);
  fail_often(health, 2);
  EXPECT_TRUE(health.is_in());
  fail_often(health, 1);
  EXPECT_FALSE(health.is_in());
}

TEST_F(ServerHealthTest, BadAnswersNeverEjectWhenThatIsOff) {
  options.ejection.failures = 0;
  fail_often(health, 100);
  EXPECT_TRUE(health.is_in());
}

TEST_F(ServerHealthTest, OneExchangeTriesAServerThatWasOut) {
  fail_often(health, 1, Failure::kUnreached);
  loop.advance(options.ejection.time);
  EXPECT_TRUE(admits());
  EXPECT_FALSE(admits()) << "half open: one at a time";
  health.succeeded(health.era(), loop);
  EXPECT_TRUE(admits());
  EXPECT_TRUE(health.is_in());
}

TEST_F(ServerHealthTest, ATrialThatFailsDoublesTheTimeUpToTheMaximum) {
  fail_often(health, 1, Failure::kUnreached);
  Milliseconds expected = options.ejection.time;
  for (int round = 0; round < 8; ++round) {
    loop.advance(expected - Milliseconds(1));
    EXPECT_FALSE(admits()) << round;
    loop.advance(Milliseconds(1));
    EXPECT_TRUE(admits()) << round;
    fail_often(health, 1, Failure::kUnreached);
    expected = std::min(2 * expected, options.ejection.time_max);
  }
  EXPECT_EQ(expected, options.ejection.time_max);
}

TEST_F(ServerHealthTest, RequestsThatFailTogetherCountAsOneEjection) {
  ServerHealth::Era before = health.era();
  for (int i = 0; i < 50; ++i) health.failed(before, Failure::kUnreached, loop);
  EXPECT_EQ(health.ejections(), 1U);
  loop.advance(options.ejection.time);
  EXPECT_TRUE(admits()) << "the time is not longer for it";
}

TEST_F(ServerHealthTest, AnOldRequestThatEndsWellDoesNotEndTheEjection) {
  ServerHealth::Era before = health.era();
  fail_often(health, 1, Failure::kUnreached);
  health.succeeded(before, loop);
  EXPECT_FALSE(health.is_in());
}

TEST_F(ServerHealthTest, AtMostAPartOfTheServersIsOutForBadAnswers) {
  std::array<ServerHealth, 4> servers{ServerHealth{options, room}, ServerHealth{options, room},
                                      ServerHealth{options, room}, ServerHealth{options, room}};
  for (ServerHealth& server : servers) fail_often(server, 10);
  EXPECT_FALSE(servers[0].is_in());
  EXPECT_FALSE(servers[1].is_in());
  EXPECT_TRUE(servers[2].is_in());
  servers[0].succeeded(servers[0].era(), loop);
  fail_often(servers[3], 1);
  EXPECT_FALSE(servers[3].is_in()) << "one came back, so there is room";
  fail_often(servers[2], 1, Failure::kUnreached);
  EXPECT_FALSE(servers[2].is_in()) << "one that cannot be reached needs no room";
}

TEST_F(ServerHealthTest, ProbesTakeItOutAndIn) {
  probe(false, 2);
  probe(true, 1);
  probe(false, 2);
  EXPECT_TRUE(health.is_in());
  probe(false, 1);
  EXPECT_TRUE(health.unhealthy());
  loop.advance(std::chrono::hours(1));
  EXPECT_FALSE(admits()) << "no trial: probes know";
  probe(true, 1);
  EXPECT_TRUE(health.unhealthy());
  probe(true, 1);
  EXPECT_TRUE(health.is_in());
  EXPECT_EQ(health.probes_failed(), 5U);
  EXPECT_EQ(health.probes_passed(), 3U);
}

TEST_F(ServerHealthTest, AProbeThatPassesEndsTheWaitForAServerThatCouldNotBeReached) {
  fail_often(health, 1, Failure::kUnreached);
  probe(true, 1);
  EXPECT_TRUE(health.is_in());
}

TEST_F(ServerHealthTest, DrainingIsApartFromTheRest) {
  health.set_draining(true, loop.now());
  EXPECT_FALSE(admits());
  probe(true, 5);
  health.succeeded(health.era(), loop);
  EXPECT_FALSE(admits());
  health.set_draining(false, loop.now());
  EXPECT_TRUE(admits());
}

TEST_F(ServerHealthTest, AShareGrowsAfterItCameBack) {
  options.slow_start = Milliseconds(1000);
  EXPECT_EQ(health.share(loop.now()), ServerHealth::kWholeShare);
  fail_often(health, 1, Failure::kUnreached);
  health.succeeded(health.era(), loop);
  EXPECT_EQ(health.share(loop.now()), ServerHealth::kWholeShare / 16);
  loop.advance(Milliseconds(500));
  EXPECT_EQ(health.share(loop.now()), ServerHealth::kWholeShare / 2);
  loop.advance(Milliseconds(500));
  EXPECT_EQ(health.share(loop.now()), ServerHealth::kWholeShare);
}

}  // namespace
}  // namespace sandgate::gateway
