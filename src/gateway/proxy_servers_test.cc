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
  EXPECT_FALSE(upstream->is_up(0));
  EXPECT_TRUE(upstream->is_up(1));
}

TEST_F(ProxyServersTest, EachServerIsTriedOnceWhenAllAreDown) {
  prepare("GET", 3);
  for (std::size_t i = 0; i < 3; ++i) upstream->mark_down(i, fake->loop);
  for (auto& script : upstream->scripts) script.refuse();
  start();
  fake->loop.advance(RetryOptions().backoff_max + Loop::kTimerTick);
  EXPECT_EQ(outcome(), "upstream: no upstream could be reached");
  for (auto& script : upstream->scripts) EXPECT_EQ(script.asked_fresh.size(), 1U);
}

TEST_F(ProxyServersTest, AConnectionThatIsMadeMarksTheServerUp) {
  prepare();
  upstream->mark_down(0, fake->loop);
  expect().answer(200, "");
  serve();
  EXPECT_TRUE(upstream->is_up(0));
}

TEST_F(ProxyServersTest, AConnectTimeoutIs504AndMarksTheServerDown) {
  prepare();
  upstream->scripts[0].refuse(ErrorKind::kTimedOut);
  serve();
  EXPECT_EQ(outcome(), "timed_out: no upstream could be reached in time");
  EXPECT_FALSE(upstream->is_up(0));
}

TEST_F(ProxyServersTest, WithoutADescriptorNoOtherServerIsTried) {
  prepare("GET", 2);
  upstream->scripts[0].refuse(ErrorKind::kOverloaded);
  serve();
  EXPECT_EQ(outcome(), "overloaded: no connection to an upstream is free");
  EXPECT_TRUE(upstream->scripts[1].asked_fresh.empty());
  EXPECT_TRUE(upstream->is_up(0));
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

TEST_F(ProxyServersTest, AnIdempotentRequestThatWasNotAnsweredGoesToAnotherServer) {
  prepare("GET", 2);
  expect(0).read_head_error = Error(ErrorKind::kDisconnected, "closed");
  expect(1).answer(200, "from s1");
  serve();
  EXPECT_EQ(outcome(), "ok");
  EXPECT_EQ(sent().body, "from s1");
  EXPECT_EQ(upstream->server(0).view().failures, 1U);
  EXPECT_EQ(upstream->server(1).view().retries, 1U);
  EXPECT_EQ(upstream->server(1).view().requests, 1U);
  EXPECT_EQ(upstream->server(1).view().active, 0U);
}

TEST_F(ProxyServersTest, APostThatLeftIsNotSentAgain) {
  prepare("POST", 2);
  expect(0).read_head_error = Error(ErrorKind::kDisconnected, "closed");
  serve();
  EXPECT_EQ(outcome(), "upstream: the upstream closed the connection before it answered");
  EXPECT_TRUE(upstream->scripts[1].asked_fresh.empty());
}

TEST_F(ProxyServersTest, ALateAnswerIsNotAskedForAgain) {
  prepare("GET", 2);
  expect(0).read_head_error = Error(ErrorKind::kTimedOut, "late");
  serve();
  EXPECT_EQ(outcome(), "timed_out: the upstream did not answer in time");
  EXPECT_TRUE(upstream->scripts[1].asked_fresh.empty());
}

TEST_F(ProxyServersTest, AttemptsAreBounded) {
  UpstreamOptions options;
  options.retries.attempts = 2;
  prepare("GET", 3, options);
  for (auto& script : upstream->scripts) script.refuse();
  serve();
  EXPECT_EQ(outcome(), "upstream: no upstream could be reached");
  EXPECT_TRUE(upstream->scripts[2].asked_fresh.empty());
}

TEST_F(ProxyServersTest, RetriesHaveABudget) {
  UpstreamOptions options;
  options.retries.budget_percent = 0;
  options.retries.budget_per_s = 0;
  prepare("GET", 2, options);
  upstream->scripts[0].refuse();
  serve();
  EXPECT_EQ(outcome(), "upstream: no upstream could be reached");
  EXPECT_TRUE(upstream->scripts[1].asked_fresh.empty());
}

TEST_F(ProxyServersTest, AClientThatLeavesDuringTheBackoffIsNotServed) {
  UpstreamOptions options;
  options.retries.backoff_base = options.retries.backoff_max = Milliseconds(1'000'000);
  prepare("GET", 3, options);
  for (auto& script : upstream->scripts) script.refuse();
  start();
  EXPECT_EQ(outcome(), "running");
  fake->exchange.cancellation.cancel(ErrorKind::kDisconnected, "the client left");
  EXPECT_EQ(outcome(), "disconnected: the client left");
  EXPECT_TRUE(upstream->scripts[2].asked_fresh.empty());
}

TEST_F(ProxyServersTest, BadAnswersInARowEjectAServer) {
  UpstreamOptions options;
  options.ejection.failures = 2;
  prepare("GET", 2, options);
  for (int i = 0; i < 2; ++i) {
    Conversation& broken = expect(0);
    broken.heads.push_back({200, {}});
    broken.body->bytes.break_off(ErrorKind::kUpstream, "closed");
    expect(1).answer(200, "");
    for (int server = 0; server < 2; ++server) {
      test::FakeExchange exchange("GET", "/path");
      testing::Running run;
      testing::start_serving(*proxy, exchange.exchange, run);
      EXPECT_TRUE(run.ended());
    }
  }
  EXPECT_FALSE(upstream->is_up(0));
  EXPECT_TRUE(upstream->is_up(1));
}

TEST_F(ProxyServersTest, WithoutAServerThatTakesRequestsItIs503) {
  prepare();
  upstream->server(0).set_draining(true);
  serve();
  EXPECT_EQ(outcome(), "overloaded: no server of the upstream takes requests");
}

TEST_F(ProxyServersTest, TheWholeTimeIsBounded) {
  UpstreamOptions options;
  options.timeouts.total = Milliseconds(500);
  prepare("GET", 1, options);
  Conversation& talk = expect();
  start();
  fake->loop.advance(Milliseconds(490));
  EXPECT_EQ(outcome(), "running");
  fake->loop.advance(Milliseconds(20));
  fake->loop.run_until_idle();
  EXPECT_EQ(outcome(), "timed_out: the upstream took too long in all");
  EXPECT_TRUE(talk.aborted());
  EXPECT_FALSE(fake->exchange.cancellation.cancelled()) << "the client hears of it";
}

TEST_F(ProxyServersTest, AClientThatLeavesEndsABoundedExchangeToo) {
  UpstreamOptions options;
  options.timeouts.total = Milliseconds(500);
  prepare("GET", 1, options);
  expect();
  start();
  fake->exchange.cancellation.cancel(ErrorKind::kDisconnected, "the client left");
  fake->loop.run_until_idle();
  EXPECT_EQ(outcome(), "disconnected: the client left");
}

// One server is full and the other one out: what comes back is for the request that waits, at once.
TEST_F(ProxyServersTest, AServerThatComesBackIsForWhoWaits) {
  enum class How { kDrainingEnds, kAnswered };
  for (How how : {How::kDrainingEnds, How::kAnswered}) {
    UpstreamOptions options;
    options.connections.connections_max = 1;
    prepare("GET", 2, options);
    running = {};
    UpstreamServer& full = upstream->server(0);
    UpstreamServer& out = upstream->server(1);
    ASSERT_TRUE(full.bound().try_open());
    if (how == How::kDrainingEnds) out.set_draining(true);
    if (how == How::kAnswered) upstream->mark_down(1, fake->loop);
    expect(1).answer(200, "hello");
    start();
    EXPECT_EQ(outcome(), "running");
    if (how == How::kDrainingEnds) out.set_draining(false);
    // Of the request that tried it.
    if (how == How::kAnswered) out.answered(out.health().era(), fake->loop);
    fake->loop.run_until_idle();
    EXPECT_EQ(outcome(), "ok");
    full.bound().closed(fake->loop);
  }
}

// The one that has room was tried: looking for it without end would hold the loop.
TEST_F(ProxyServersTest, ARetryWaitsForAFullServerAndLeavesTheLoopToOthers) {
  UpstreamOptions options;
  options.connections.connections_max = 1;
  prepare("GET", 2, options);
  net::ConnectionBound& full = upstream->server(0).bound();
  ASSERT_TRUE(full.try_open());
  expect(1).read_head_error = Error(ErrorKind::kDisconnected, "closed");
  expect(0).answer(200, "hello");
  start();
  EXPECT_EQ(outcome(), "running");
  full.closed(fake->loop);
  for (int i = 0; i < 10; ++i) {
    fake->loop.advance(Milliseconds(10));
    fake->loop.run_until_idle();
  }
  EXPECT_EQ(outcome(), "ok");
}

}  // namespace
}  // namespace sandgate::gateway
