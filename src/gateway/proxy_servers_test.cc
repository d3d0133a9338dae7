// SPDX-License-Identifier: Apache-2.0
//
// Which server a request goes to, and when it is sent again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "gateway/proxy_fields.h"
#include "gateway/testing/proxy_fixture.h"

namespace sandgate::gateway {
namespace {

using testing::Conversation;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::PushedBody;

class ProxyServersTest : public testing::ProxyFixture {};

TEST_F(ProxyServersTest, ADeadKeptConnectionIsReplacedForAnIdempotentRequest) {
  prepare("GET");
  Conversation& dead = expect();
  dead.reused = true;
  dead.read_head_error = Error(ErrorKind::kDisconnected, "closed");
  Conversation& fresh = expect().answer(200, "ok");
  serve();
  EXPECT_EQ(outcome(), "ok");
  EXPECT_EQ(fresh.request, dead.request);
  EXPECT_THAT(upstream->scripts[0].asked_fresh, ElementsAre(false, true));
}

TEST_F(ProxyServersTest, ADeadKeptConnectionIsNotReplacedForAPostThatLeft) {
  prepare("POST");
  Conversation& dead = expect();
  dead.reused = true;
  dead.read_head_error = Error(ErrorKind::kDisconnected, "closed");
  serve();
  EXPECT_EQ(outcome(), "upstream: the upstream closed the connection before it answered");
  EXPECT_THAT(upstream->scripts[0].asked_fresh, ElementsAre(false));
}

TEST_F(ProxyServersTest, ADeadKeptConnectionIsNotReplacedForAPutWhoseBodyLeft) {
  prepare("PUT");
  fake->set_body("x");
  Conversation& dead = expect();
  dead.reused = true;
  dead.read_head_error = Error(ErrorKind::kDisconnected, "closed");
  serve();
  EXPECT_EQ(outcome(), "upstream: the upstream closed the connection before it answered");
}

TEST_F(ProxyServersTest, ADeadKeptConnectionIsReplacedForAPostOfWhichNothingLeft) {
  prepare("POST");
  PushedBody& body = upload();
  body.bytes.push("payload");
  Conversation& dead = expect();
  dead.reused = true;
  dead.write_head_error = Error(ErrorKind::kDisconnected, "closed");
  dead.head_leaves = false;
  Conversation& fresh = expect().answer(200, "ok");
  fresh.hold_answer = true;
  start();
  EXPECT_EQ(fresh.body_start, "payload") << "the piece that was read is not lost";
  body.bytes.push(" and more");
  body.bytes.end();
  fresh.answer_hold.set();
  EXPECT_EQ(outcome(), "ok");
  EXPECT_EQ(fresh.body_written, "payload and more");
}

TEST_F(ProxyServersTest, NothingIsRepeatedAfterAnInterimResponse) {
  prepare("GET");
  Conversation& dead = expect();
  dead.reused = true;
  dead.heads.push_back({103, {}});
  dead.read_head_error = Error(ErrorKind::kDisconnected, "closed");
  serve();
  EXPECT_EQ(outcome(), "upstream: the upstream closed the connection before it answered");
}

TEST_F(ProxyServersTest, AFreshConnectionThatClosesIsNotReplaced) {
  prepare("GET");
  expect().read_head_error = Error(ErrorKind::kDisconnected, "closed");
  serve();
  EXPECT_EQ(outcome(), "upstream: the upstream closed the connection before it answered");
}

TEST_F(ProxyServersTest, AKeptConnectionIsReplacedOnce) {
  prepare("GET");
  for (bool reused : {true, false}) {
    Conversation& dead = expect();
    dead.reused = reused;
    dead.read_head_error = Error(ErrorKind::kDisconnected, "closed");
  }
  serve();
  EXPECT_EQ(outcome(), "upstream: the upstream closed the connection before it answered");
  EXPECT_EQ(upstream->scripts[0].asked_fresh.size(), 2U);
}

TEST_F(ProxyServersTest, ARefusedConnectionMarksTheServerDownAndTheNextServes) {
  prepare("POST", 2);
  fake->set_body("x");
  upstream->scripts[0].refuse();
  Conversation& talk = expect(1).answer(200, "from s1");
  serve();
  EXPECT_EQ(outcome(), "ok");
  EXPECT_EQ(talk.body_written, "x");
  EXPECT_EQ(sent().body, "from s1");
  EXPECT_EQ(fake->exchange.record.upstream, "s1:80");
  EXPECT_FALSE(upstream->upstream->servers()[0]->is_up());
  EXPECT_TRUE(upstream->upstream->servers()[1]->is_up());
}

TEST_F(ProxyServersTest, EachServerIsTriedOnceWhenAllAreDown) {
  prepare("GET", 3);
  for (const auto& server : upstream->upstream->servers()) server->mark_down(fake->loop.now());
  for (auto& script : upstream->scripts) script.refuse();
  serve();
  EXPECT_EQ(outcome(), "upstream: no upstream could be reached");
  for (auto& script : upstream->scripts) EXPECT_EQ(script.asked_fresh.size(), 1U);
}

TEST_F(ProxyServersTest, AConnectionThatIsMadeMarksTheServerUp) {
  prepare();
  upstream->upstream->servers()[0]->mark_down(fake->loop.now());
  expect().answer(200, "");
  serve();
  EXPECT_TRUE(upstream->upstream->servers()[0]->is_up());
}

TEST_F(ProxyServersTest, AConnectTimeoutIs504AndMarksTheServerDown) {
  prepare();
  upstream->scripts[0].refuse(ErrorKind::kTimedOut);
  serve();
  EXPECT_EQ(outcome(), "timed_out: no upstream could be reached in time");
  EXPECT_FALSE(upstream->upstream->servers()[0]->is_up());
}

TEST_F(ProxyServersTest, WithoutADescriptorNoOtherServerIsTried) {
  prepare("GET", 2);
  upstream->scripts[0].refuse(ErrorKind::kOverloaded);
  serve();
  EXPECT_EQ(outcome(), "overloaded: no connection to an upstream is free");
  EXPECT_TRUE(upstream->scripts[1].asked_fresh.empty());
  EXPECT_TRUE(upstream->upstream->servers()[0]->is_up());
}

TEST_F(ProxyServersTest, ARequestOfWhichNothingLeftGoesToTheNextServer) {
  prepare("POST", 2);
  Conversation& dead = expect(0);
  dead.write_head_error = Error(ErrorKind::kDisconnected, "closed");
  dead.head_leaves = false;
  expect(1).answer(200, "");
  serve();
  EXPECT_EQ(outcome(), "ok");
}

TEST_F(ProxyServersTest, AnUpstreamThatLeadsBackHereIsFound) {
  prepare();
  std::string via = "1.1 sandgate";
  for (int i = 0; i < kPassesMax; ++i) via += ", 1.1 sandgate";
  fake->add_field("Via", via);
  serve();
  EXPECT_EQ(outcome(), "ok");
  EXPECT_EQ(sent().status, 508);
  EXPECT_TRUE(upstream->scripts[0].asked_fresh.empty());
}

TEST_F(ProxyServersTest, AnHttp10RequestWithoutHostGetsTheServersAuthority) {
  prepare();
  fake->exchange.request.minor_version = 0;
  fake->exchange.request.authority = {};
  Conversation& talk = expect().answer(200, "");
  serve();
  EXPECT_THAT(talk.request, HasSubstr("host= s0:80\n"));
}

}  // namespace
}  // namespace sandgate::gateway
