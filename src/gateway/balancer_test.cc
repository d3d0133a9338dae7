// SPDX-License-Identifier: Apache-2.0
#include "gateway/balancer.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "gateway/testing/fake_upstream.h"
#include "tests/support/fake_loop.h"

namespace sandgate::gateway {
namespace {

using testing::FakeUpstream;

std::string pick(const Balancer& balancer, const Loop& loop) {
  TriedServers tried;
  const UpstreamServer* server = balancer.next(loop, tried);
  return server == nullptr ? "none" : std::string(server->authority());
}

TEST(Upstream, NeedsOneToSixtyFourServers) {
  std::vector<ServerAddress> servers;
  EXPECT_EQ(Upstream::create(servers, {}, {}).error().kind, ErrorKind::kInvalid);
  servers.resize(65);
  EXPECT_EQ(Upstream::create(servers, {}, {}).error().kind, ErrorKind::kInvalid);
}

TEST(Balancer, GoesRound) {
  test::FakeLoop loop;
  FakeUpstream fake(loop, 3);
  Balancer balancer(*fake.upstream, 1);
  std::string order;
  for (int i = 0; i < 7; ++i) order += pick(balancer, loop).substr(0, 2);
  EXPECT_EQ(order, "s0s1s2s0s1s2s0");
}

TEST(Balancer, LoopsStartAtDifferentServers) {
  test::FakeLoop first(0);
  test::FakeLoop second(1);
  FakeUpstream fake(first, 3);
  Balancer balancer(*fake.upstream, 2);
  EXPECT_EQ(pick(balancer, first), "s0:80");
  EXPECT_EQ(pick(balancer, second), "s1:80");
  EXPECT_EQ(pick(balancer, first), "s1:80");
}

TEST(Balancer, SharesTheLoadOfADownServerEvenly) {
  test::FakeLoop loop;
  FakeUpstream fake(loop, 3);
  Balancer balancer(*fake.upstream, 1);
  fake.upstream->servers()[0]->mark_down(loop.now());
  EXPECT_EQ(fake.upstream->servers_up(), 2U);
  std::string order;
  for (int i = 0; i < 6; ++i) order += pick(balancer, loop).substr(0, 2);
  EXPECT_EQ(order, "s1s2s1s2s1s2");
}

TEST(Balancer, MakesOneTrialAfterAWhile) {
  test::FakeLoop loop;
  FakeUpstream fake(loop, 2);
  Balancer balancer(*fake.upstream, 1);
  const UpstreamServer& down = *fake.upstream->servers()[0];
  down.mark_down(loop.now());
  loop.advance(UpstreamServer::kDownFor - Milliseconds(1));
  EXPECT_EQ(pick(balancer, loop), "s1:80");
  EXPECT_EQ(pick(balancer, loop), "s1:80");
  loop.advance(Milliseconds(1));
  EXPECT_EQ(pick(balancer, loop), "s0:80") << "the trial";
  EXPECT_EQ(pick(balancer, loop), "s1:80");
  EXPECT_EQ(pick(balancer, loop), "s1:80") << "one trial only";
  down.mark_up();
  EXPECT_EQ(pick(balancer, loop), "s0:80");
}

TEST(Balancer, TriesEachServerOnceWhenAllAreDown) {
  test::FakeLoop loop;
  FakeUpstream fake(loop, 3);
  Balancer balancer(*fake.upstream, 1);
  for (const auto& server : fake.upstream->servers()) server->mark_down(loop.now());
  TriedServers tried;
  std::string order;
  while (const UpstreamServer* server = balancer.next(loop, tried)) order += server->authority().substr(0, 2);
  EXPECT_EQ(order, "s0s1s2");
}

TEST(Balancer, PrefersServersThatAreUpAmongTheUntried) {
  test::FakeLoop loop;
  FakeUpstream fake(loop, 3);
  Balancer balancer(*fake.upstream, 1);
  fake.upstream->servers()[1]->mark_down(loop.now());
  TriedServers tried;
  std::string order;
  while (const UpstreamServer* server = balancer.next(loop, tried)) order += server->authority().substr(0, 2);
  EXPECT_EQ(order, "s0s2s1");
}

}  // namespace
}  // namespace sandgate::gateway
