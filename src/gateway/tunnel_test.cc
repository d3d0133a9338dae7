// SPDX-License-Identifier: Apache-2.0
#include "gateway/tunnel.h"

#include <gtest/gtest.h>

#include "gateway/testing/fake_upstream.h"
#include "tests/support/fake_exchange.h"

namespace sandgate::gateway {
namespace {

using testing::PushedStream;

Detached run_tunnel(Tunnel& tunnel, bool& ended) {
  co_await tunnel.run();
  ended = true;
}

class TunnelTest : public ::testing::Test {
 protected:
  void start() { run_tunnel(tunnel, ended); }

  test::FakeExchange fake;
  PushedStream client;
  PushedStream upstream;
  Tunnel tunnel{fake.exchange, client, upstream};
  bool ended = false;
};

TEST_F(TunnelTest, CarriesBytesBothWays) {
  start();
  client.bytes.push("a");
  upstream.bytes.push("b");
  client.bytes.push("c");
  EXPECT_EQ(upstream.written, "ac");
  EXPECT_EQ(client.written, "b");
  EXPECT_FALSE(ended);
  upstream.bytes.end();
  client.bytes.end();
  EXPECT_TRUE(ended);
}

TEST_F(TunnelTest, PassesOnTheEndOfOneDirection) {
  start();
  client.bytes.end();
  EXPECT_TRUE(upstream.write_ended);
  EXPECT_FALSE(upstream.closed);
  upstream.bytes.push("late");
  EXPECT_EQ(client.written, "late");
  upstream.bytes.end();
  EXPECT_TRUE(ended);
  EXPECT_TRUE(client.closed);
  EXPECT_TRUE(upstream.closed);
}

TEST_F(TunnelTest, ABrokenEndEndsBoth) {
  start();
  upstream.bytes.break_off(ErrorKind::kDisconnected, "reset");
  EXPECT_TRUE(ended);
  EXPECT_TRUE(client.closed);
}

TEST_F(TunnelTest, AnEndThatTakesNoBytesEndsBoth) {
  start();
  upstream.closed = true;
  client.bytes.push("x");
  EXPECT_FALSE(ended) << "the upstream's own read still waits";
  upstream.closed = false;
  upstream.close();
  EXPECT_TRUE(ended);
}

TEST_F(TunnelTest, EndsWhenIdle) {
  start();
  fake.loop.advance(Tunnel::kIdle - Milliseconds(100));
  client.bytes.push("still here");
  fake.loop.advance(Tunnel::kIdle - Milliseconds(100));
  EXPECT_FALSE(ended);
  fake.loop.advance(Milliseconds(200));
  EXPECT_TRUE(ended);
  EXPECT_TRUE(client.closed);
  EXPECT_TRUE(upstream.closed);
}

TEST_F(TunnelTest, AHalfClosedTunnelEndsSooner) {
  start();
  client.bytes.end();
  fake.loop.advance(Tunnel::kHalfClosedIdle + Milliseconds(100));
  EXPECT_TRUE(ended);
}

TEST_F(TunnelTest, EndsWhenCancelled) {
  start();
  fake.exchange.cancellation.cancel(ErrorKind::kDisconnected, "the client left");
  EXPECT_TRUE(ended);
  EXPECT_TRUE(upstream.closed);
}

TEST_F(TunnelTest, DoesNotStartWhenCancelledBefore) {
  fake.exchange.cancellation.cancel(ErrorKind::kDisconnected, "the client left");
  start();
  EXPECT_TRUE(ended);
  EXPECT_TRUE(client.closed);
}

}  // namespace
}  // namespace sandgate::gateway
