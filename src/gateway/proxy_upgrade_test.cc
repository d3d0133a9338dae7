// SPDX-License-Identifier: Apache-2.0
//
// Upgrades to WebSocket, granted and refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "gateway/testing/proxy_fixture.h"

namespace sandgate::gateway {
namespace {

using testing::Conversation;
using ::testing::HasSubstr;

class ProxyUpgradeTest : public testing::ProxyFixture {
 protected:
  void prepare_handshake() {
    prepare();
    fake->add_field("Connection", "Upgrade").add_field("Upgrade", "websocket").add_field("Sec-WebSocket-Key", "a2V5");
  }
  static testing::AnswerHead switching() {
    return {101, {{"Connection", "Upgrade"}, {"Upgrade", "websocket"}, {"Sec-WebSocket-Accept", "YWNjZXB0"}}};
  }
};

TEST_F(ProxyUpgradeTest, AWebSocketBecomesATunnel) {
  prepare_handshake();
  Conversation& talk = expect();
  talk.heads.push_back(switching());
  start();
  EXPECT_TRUE(talk.upgrade);
  EXPECT_TRUE(talk.sent_field("Sec-WebSocket-Key: a2V5"));
  EXPECT_TRUE(talk.sent_field("upgrade: websocket"));
  EXPECT_EQ(upgrade.status, 101);
  EXPECT_THAT(upgrade.fields, HasSubstr("Sec-WebSocket-Accept: YWNjZXB0\n"));
  EXPECT_THAT(upgrade.fields, HasSubstr("upgrade: websocket\n"));
  upgrade.stream.bytes.push("from the client");
  EXPECT_EQ(talk.raw.written, "from the client");
  talk.raw.bytes.push("from the upstream");
  EXPECT_EQ(upgrade.stream.written, "from the upstream");
  talk.raw.bytes.end();
  EXPECT_TRUE(upgrade.stream.write_ended);
  EXPECT_FALSE(running.ended());
  upgrade.stream.bytes.end();
  EXPECT_EQ(outcome(), "ok");
  EXPECT_TRUE(talk.aborted());
}

TEST_F(ProxyUpgradeTest, ARefusedHandshakeIsAnOrdinaryAnswer) {
  prepare_handshake();
  expect().answer(401, "no");
  serve();
  EXPECT_EQ(outcome(), "ok");
  EXPECT_EQ(sent().status, 401);
  EXPECT_EQ(upgrade.status, 0);
}

TEST_F(ProxyUpgradeTest, A101ThatNobodyAskedForIsAnError) {
  prepare();
  Conversation& talk = expect();
  talk.heads.push_back(switching());
  serve();
  EXPECT_EQ(outcome(), "upstream: the upstream switched to a protocol that was not asked for");
  EXPECT_TRUE(talk.aborted());
}

TEST_F(ProxyUpgradeTest, A101ToAnotherProtocolIsAnError) {
  prepare_handshake();
  expect().heads.push_back({101, {{"Connection", "Upgrade"}, {"Upgrade", "h2c"}}});
  serve();
  EXPECT_EQ(outcome(), "upstream: the upstream switched to a protocol that was not asked for");
  EXPECT_EQ(upgrade.status, 0);
}

TEST_F(ProxyUpgradeTest, ATransportThatCannotUpgradeIsSaidSo) {
  prepare_handshake();
  upgrade.refuse = true;
  Conversation& talk = expect();
  talk.heads.push_back(switching());
  serve();
  EXPECT_EQ(outcome(), "unsupported: this connection cannot be upgraded");
  EXPECT_TRUE(talk.aborted());
}

TEST_F(ProxyUpgradeTest, CancellingEndsTheTunnel) {
  prepare_handshake();
  Conversation& talk = expect();
  talk.heads.push_back(switching());
  start();
  fake->exchange.cancellation.cancel(ErrorKind::kOverloaded, "the server is shutting down");
  EXPECT_TRUE(running.ended());
  EXPECT_TRUE(upgrade.stream.closed);
  EXPECT_TRUE(talk.raw.closed);
}

}  // namespace
}  // namespace sandgate::gateway
