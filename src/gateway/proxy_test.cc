// SPDX-License-Identifier: Apache-2.0
#include "gateway/proxy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "gateway/testing/fake_upstream.h"
#include "gateway/testing/running.h"
#include "tests/support/fake_exchange.h"

namespace sandgate::gateway {
namespace {

using testing::Conversation;
using ::testing::ElementsAre;
using testing::FakeUpstream;
using ::testing::HasSubstr;
using testing::PushedBody;
using testing::PushedStream;
using testing::Running;
using Framing = http::BodyFraming::Kind;

class FakeUpgrade final : public Exchange::Upgrade {
 public:
  Task<Result<RawStream*>> take_over(const http::ResponseHead& head) override {
    status = head.status;
    for (const http::Field& field : head.fields)
      fields += std::string(field.name) + ": " + std::string(field.value) + "\n";
    if (refuse) co_return fail(ErrorKind::kUnsupported, "this connection cannot be upgraded");
    co_return &stream;
  }
  PushedStream stream;
  std::string fields;
  int status = 0;
  bool refuse = false;
};

// For answers to HEAD, which announce a length and have no body.
class HeadSink final : public ResponseSink {
 public:
  Task<Status> informational(const http::ResponseHead&) override { co_return Status(); }
  Task<Status> start(const http::ResponseHead&, std::optional<std::uint64_t> announced) override {
    length = announced;
    co_return Status();
  }
  Task<Status> write(std::string_view) override {
    ++writes;
    co_return Status();
  }
  Task<Status> finish(const http::Fields*) override { co_return Status(); }
  void abort() override {}
  bool committed() const override { return length.has_value(); }

  std::optional<std::uint64_t> length;
  int writes = 0;
};

class ProxyTest : public ::testing::Test {
 protected:
  // Servers and the request; the script follows.
  void prepare(std::string_view method = "GET", std::size_t servers = 1) {
    fake = std::make_unique<test::FakeExchange>(method, "/path");
    upstream = std::make_unique<FakeUpstream>(fake->loop, servers);
    proxy = std::make_unique<Proxy>(*upstream->upstream, 1);
    fake->exchange.set_upgrade(&upgrade);
  }
  Conversation& expect(std::size_t server = 0) { return upstream->scripts[server].expect(); }
  PushedBody& upload(std::optional<std::uint64_t> length = std::nullopt) {
    auto body = std::make_unique<PushedBody>(length);
    PushedBody& reference = *body;
    fake->set_body(std::move(body));
    return reference;
  }
  void start() { start_serving(*proxy, fake->exchange, running); }
  void serve() {
    start();
    ASSERT_TRUE(running.ended());
  }
  // How serve() ended: "ok", or kind and detail of the error.
  std::string outcome() const {
    if (!running.ended()) return "running";
    if (*running.status) return "ok";
    return std::string(error_kind_name(running.status->error().kind)) + ": " + running.status->error().detail;
  }
  const test::SentResponse& sent() const { return fake->sent(); }

  std::unique_ptr<test::FakeExchange> fake;
  std::unique_ptr<FakeUpstream> upstream;
  std::unique_ptr<Proxy> proxy;
  FakeUpgrade upgrade;
  Running running;
};

TEST_F(ProxyTest, ForwardsARequestAndItsAnswer) {
  prepare();
  fake->exchange.request.query = "a=b";
  fake->exchange.request.has_query = true;
  fake->add_field("Accept", "*/*")
      .add_field("Connection", "keep-alive")
      .add_field("TE", "trailers")
      .add_field("Expect", "100-continue");
  Conversation& talk = expect().answer(
      200, "hello", {{"Content-Type", "text/plain"}, {"Connection", "keep-alive"}, {"Keep-Alive", "timeout=5"}});
  serve();
  EXPECT_EQ(outcome(), "ok");
  EXPECT_EQ(talk.request, "GET /path?a=b\nhost= 127.0.0.1:3000\nAccept: */*\nvia: 1.1 sandgate\n");
  EXPECT_EQ(talk.framing.kind, Framing::kNone);
  EXPECT_FALSE(talk.upgrade);
  EXPECT_EQ(sent().status, 200);
  EXPECT_EQ(sent().body, "hello");
  EXPECT_EQ(sent().length, 5U);
  EXPECT_TRUE(sent().finished);
  EXPECT_EQ(sent().field("content-type"), "text/plain");
  EXPECT_EQ(sent().field("via"), "1.1 sandgate");
  EXPECT_EQ(sent().field("x-request-id"), "0123456789abcdef0123456789abcdef");
  EXPECT_FALSE(sent().has_field("keep-alive"));
  EXPECT_EQ(fake->exchange.record.upstream, "s0:80");
  EXPECT_TRUE(talk.returned);
  EXPECT_FALSE(talk.aborted());
}

TEST_F(ProxyTest, StreamsEachPieceAtOnce) {
  prepare();
  Conversation& talk = expect();
  talk.heads.push_back({200, {{"Content-Type", "text/event-stream"}}});
  start();
  EXPECT_EQ(sent().status, 200);
  EXPECT_EQ(sent().length, std::nullopt);
  talk.body->bytes.push("data: 1\n\n");
  EXPECT_EQ(sent().body, "data: 1\n\n");
  talk.body->bytes.push("data: 2\n\n");
  EXPECT_EQ(sent().body, "data: 1\n\ndata: 2\n\n");
  EXPECT_FALSE(sent().finished);
  talk.body->bytes.end();
  EXPECT_EQ(outcome(), "ok");
  EXPECT_TRUE(sent().finished);
}

TEST_F(ProxyTest, ASmallBodyGoesOutWithTheHead) {
  prepare("POST");
  fake->set_body("payload");
  Conversation& talk = expect().answer(201, "");
  serve();
  EXPECT_EQ(talk.framing, (http::BodyFraming{Framing::kLength, 7}));
  EXPECT_EQ(talk.body_start, "payload");
  EXPECT_EQ(talk.body_written, "payload");
  EXPECT_FALSE(talk.body_finished) << "a body of known length ends by itself";
  EXPECT_EQ(sent().status, 201);
}

TEST_F(ProxyTest, ABodyThatComesLateFollowsTheHead) {
  prepare("POST");
  PushedBody& body = upload();
  Conversation& talk = expect().answer(200, "done");
  talk.hold_answer = true;
  start();
  EXPECT_EQ(talk.framing.kind, Framing::kChunked);
  EXPECT_EQ(talk.body_start, "");
  body.bytes.push("one");
  EXPECT_EQ(talk.body_written, "one");
  body.bytes.push("two");
  EXPECT_EQ(talk.body_written, "onetwo");
  body.bytes.end();
  EXPECT_TRUE(talk.body_finished);
  EXPECT_FALSE(running.ended());
  talk.answer_hold.set();
  EXPECT_EQ(outcome(), "ok");
  EXPECT_EQ(body.aborts, 0);
  EXPECT_FALSE(talk.aborted());
}

TEST_F(ProxyTest, AnEmptyChunkedBodyIsFinished) {
  prepare("POST");
  PushedBody& body = upload();
  body.bytes.end();
  Conversation& talk = expect().answer(200, "");
  serve();
  EXPECT_EQ(talk.framing.kind, Framing::kChunked);
  EXPECT_TRUE(talk.body_finished);
}

TEST_F(ProxyTest, ReadsTheClientNoFasterThanTheUpstreamTakes) {
  prepare("POST");
  PushedBody& body = upload();
  Conversation& talk = expect().answer(200, "");
  talk.hold_answer = true;
  talk.hold_write = true;
  body.bytes.push("first");
  start();
  EXPECT_EQ(talk.body_start, "first");
  body.bytes.push("second");
  EXPECT_TRUE(talk.write_hold.has_waiter());
  body.bytes.push("third");
  EXPECT_FALSE(body.bytes.waiting()) << "nothing is read while a write waits";
  talk.hold_write = false;
  talk.write_hold.set();
  EXPECT_EQ(talk.body_written, "firstsecondthird");
  EXPECT_TRUE(body.bytes.waiting());
  body.bytes.end();
  talk.answer_hold.set();
  EXPECT_EQ(outcome(), "ok");
}

TEST_F(ProxyTest, AnEarlyAnswerStopsTheUpload) {
  prepare("POST");
  PushedBody& body = upload(1'000'000);
  body.bytes.push("start");
  Conversation& talk = expect().answer(413, "too large");
  start();
  EXPECT_EQ(outcome(), "ok");
  EXPECT_EQ(sent().status, 413);
  EXPECT_EQ(sent().body, "too large");
  EXPECT_TRUE(sent().finished);
  EXPECT_EQ(body.aborts, 1);
  EXPECT_TRUE(talk.aborted()) << "a connection with half a request is not reused";
}

TEST_F(ProxyTest, AnEarlyAnswerStopsAnUploadThatTheUpstreamDoesNotTake) {
  prepare("POST");
  PushedBody& body = upload();
  Conversation& talk = expect().answer(400, "no");
  talk.hold_write = true;
  talk.hold_answer = true;
  body.bytes.push("first");
  body.bytes.push("second");
  start();
  EXPECT_TRUE(talk.write_hold.has_waiter());
  talk.answer_hold.set();
  EXPECT_EQ(outcome(), "ok");
  EXPECT_EQ(sent().body, "no");
  EXPECT_EQ(talk.body_written, "first");
}

TEST_F(ProxyTest, TalksBothWaysAtOnce) {
  prepare("POST");
  PushedBody& body = upload();
  Conversation& talk = expect();
  talk.heads.push_back({200, {}});
  start();
  body.bytes.push("ping");
  EXPECT_EQ(talk.body_written, "ping");
  talk.body->bytes.push("pong");
  EXPECT_EQ(sent().body, "pong");
  body.bytes.push("ping");
  talk.body->bytes.push("pong");
  EXPECT_EQ(sent().body, "pongpong");
  body.bytes.end();
  talk.body->bytes.end();
  EXPECT_EQ(outcome(), "ok");
  EXPECT_FALSE(talk.aborted());
}

TEST_F(ProxyTest, WaitsForTheAnswerAsLongAsTheBodyGoesOut) {
  prepare("POST");
  PushedBody& body = upload();
  Conversation& talk = expect().answer(200, "ok");
  talk.read_head_timeouts = 3;
  talk.hold_answer = true;
  body.bytes.push("x");
  start();
  EXPECT_FALSE(running.ended());
  body.bytes.end();
  talk.answer_hold.set();
  EXPECT_EQ(outcome(), "ok");
}

TEST_F(ProxyTest, AnAnswerThatDoesNotComeIsATimeout) {
  prepare("POST");
  fake->set_body("x");
  Conversation& talk = expect();
  talk.read_head_timeouts = 1;
  serve();
  EXPECT_EQ(outcome(), "timed_out: the upstream did not answer in time");
  EXPECT_EQ(sent().status, 0);
}

// Errors of the client's own body.

TEST_F(ProxyTest, ABodyThatBreaksIsTheClientsFault) {
  prepare("POST");
  PushedBody& body = upload();
  body.bytes.push("half");
  Conversation& talk = expect();
  start();
  body.bytes.break_off(ErrorKind::kInvalid, "the chunk size is no number");
  EXPECT_EQ(outcome(), "invalid: the chunk size is no number");
  EXPECT_TRUE(talk.aborted());
  EXPECT_EQ(sent().status, 0);
}

TEST_F(ProxyTest, ABodyThatIsTooLargeIsTheClientsFault) {
  prepare("POST");
  PushedBody& body = upload();
  Conversation& talk = expect();
  start();
  body.bytes.break_off(ErrorKind::kTooLarge, "the body is too large");
  EXPECT_EQ(outcome(), "too_large: the body is too large");
  EXPECT_TRUE(talk.aborted());
}

TEST_F(ProxyTest, ABodyThatDoesNotComeIs408) {
  prepare("POST");
  PushedBody& body = upload(100);
  body.bytes.push("some");
  Conversation& talk = expect();
  start();
  body.bytes.break_off(ErrorKind::kTimedOut, "the request body did not arrive in time");
  EXPECT_EQ(outcome(), "ok");
  EXPECT_EQ(sent().status, 408);
  EXPECT_THAT(sent().body, HasSubstr("did not arrive in time"));
  EXPECT_TRUE(talk.aborted());
}

TEST_F(ProxyTest, ABodyThatFailsAtOnceReachesNoUpstream) {
  prepare("POST");
  PushedBody& body = upload();
  body.bytes.break_off(ErrorKind::kInvalid, "broken");
  Conversation& talk = expect();
  serve();
  EXPECT_EQ(outcome(), "invalid: broken");
  EXPECT_EQ(talk.request, "");
}

TEST_F(ProxyTest, ABodyThatBreaksDuringTheAnswerAbortsIt) {
  prepare("POST");
  PushedBody& body = upload();
  body.bytes.push("half");
  Conversation& talk = expect();
  talk.heads.push_back({200, {}});
  start();
  talk.body->bytes.push("answer begins");
  body.bytes.break_off(ErrorKind::kInvalid, "broken");
  EXPECT_EQ(outcome(), "invalid: broken");
  EXPECT_TRUE(sent().aborted);
  EXPECT_FALSE(sent().finished);
}

// Upstreams that break.

TEST_F(ProxyTest, AnUpstreamThatBreaksInTheMiddleAbortsTheAnswer) {
  prepare();
  Conversation& talk = expect();
  talk.heads.push_back({200, {}});
  start();
  talk.body->bytes.push("half");
  talk.body->bytes.break_off(ErrorKind::kUpstream, "closed");
  EXPECT_EQ(outcome(), "upstream: the upstream's answer broke off");
  EXPECT_EQ(running.status->error().cause, "closed");
  EXPECT_TRUE(sent().aborted);
}

TEST_F(ProxyTest, AnUpstreamThatStallsInTheMiddleAbortsTheAnswer) {
  prepare();
  Conversation& talk = expect();
  talk.heads.push_back({200, {}});
  start();
  talk.body->bytes.break_off(ErrorKind::kTimedOut, "silence");
  EXPECT_EQ(outcome(), "timed_out: the upstream's answer stalled");
  EXPECT_TRUE(sent().aborted);
}

TEST_F(ProxyTest, AMalformedAnswerIsTheUpstreamsFault) {
  prepare();
  expect().read_head_error = Error(ErrorKind::kUpstream, "malformed", "a bare LF");
  serve();
  EXPECT_EQ(outcome(), "upstream: the upstream's answer is not valid HTTP");
  EXPECT_EQ(running.status->error().cause, "malformed: a bare LF");
}

TEST_F(ProxyTest, AnUpstreamThatTakesNothingIsATimeout) {
  prepare("POST");
  PushedBody& body = upload();
  Conversation& talk = expect();
  talk.write_body_error = Error(ErrorKind::kTimedOut, "the upstream takes no bytes");
  start();
  body.bytes.push("x");
  EXPECT_EQ(outcome(), "timed_out: the upstream did not take the request in time");
}

TEST_F(ProxyTest, AnAnswerIsStillReadFromAnUpstreamThatStoppedReading) {
  prepare("POST");
  PushedBody& body = upload();
  Conversation& talk = expect().answer(413, "enough");
  talk.write_body_error = Error(ErrorKind::kDisconnected, "the upstream closed the connection");
  talk.hold_answer = true;
  start();
  body.bytes.push("x");
  EXPECT_FALSE(running.ended());
  talk.answer_hold.set();
  EXPECT_EQ(outcome(), "ok");
  EXPECT_EQ(sent().status, 413);
}

// Which connection, which server.

TEST_F(ProxyTest, ADeadKeptConnectionIsReplacedForAnIdempotentRequest) {
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

TEST_F(ProxyTest, ADeadKeptConnectionIsNotReplacedForAPostThatLeft) {
  prepare("POST");
  Conversation& dead = expect();
  dead.reused = true;
  dead.read_head_error = Error(ErrorKind::kDisconnected, "closed");
  serve();
  EXPECT_EQ(outcome(), "upstream: the upstream closed the connection before it answered");
  EXPECT_THAT(upstream->scripts[0].asked_fresh, ElementsAre(false));
}

TEST_F(ProxyTest, ADeadKeptConnectionIsNotReplacedForAPutWhoseBodyLeft) {
  prepare("PUT");
  fake->set_body("x");
  Conversation& dead = expect();
  dead.reused = true;
  dead.read_head_error = Error(ErrorKind::kDisconnected, "closed");
  serve();
  EXPECT_EQ(outcome(), "upstream: the upstream closed the connection before it answered");
}

TEST_F(ProxyTest, ADeadKeptConnectionIsReplacedForAPostOfWhichNothingLeft) {
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

TEST_F(ProxyTest, NothingIsRepeatedAfterAnInterimResponse) {
  prepare("GET");
  Conversation& dead = expect();
  dead.reused = true;
  dead.heads.push_back({103, {}});
  dead.read_head_error = Error(ErrorKind::kDisconnected, "closed");
  serve();
  EXPECT_EQ(outcome(), "upstream: the upstream closed the connection before it answered");
}

TEST_F(ProxyTest, AFreshConnectionThatClosesIsNotReplaced) {
  prepare("GET");
  expect().read_head_error = Error(ErrorKind::kDisconnected, "closed");
  serve();
  EXPECT_EQ(outcome(), "upstream: the upstream closed the connection before it answered");
}

TEST_F(ProxyTest, AKeptConnectionIsReplacedOnce) {
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

TEST_F(ProxyTest, ARefusedConnectionMarksTheServerDownAndTheNextServes) {
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

TEST_F(ProxyTest, EachServerIsTriedOnceWhenAllAreDown) {
  prepare("GET", 3);
  for (const auto& server : upstream->upstream->servers()) server->mark_down(fake->loop.now());
  for (auto& script : upstream->scripts) script.refuse();
  serve();
  EXPECT_EQ(outcome(), "upstream: no upstream could be reached");
  for (auto& script : upstream->scripts) EXPECT_EQ(script.asked_fresh.size(), 1U);
}

TEST_F(ProxyTest, AConnectionThatIsMadeMarksTheServerUp) {
  prepare();
  upstream->upstream->servers()[0]->mark_down(fake->loop.now());
  expect().answer(200, "");
  serve();
  EXPECT_TRUE(upstream->upstream->servers()[0]->is_up());
}

TEST_F(ProxyTest, AConnectTimeoutIs504AndMarksTheServerDown) {
  prepare();
  upstream->scripts[0].refuse(ErrorKind::kTimedOut);
  serve();
  EXPECT_EQ(outcome(), "timed_out: no upstream could be reached in time");
  EXPECT_FALSE(upstream->upstream->servers()[0]->is_up());
}

TEST_F(ProxyTest, WithoutADescriptorNoOtherServerIsTried) {
  prepare("GET", 2);
  upstream->scripts[0].refuse(ErrorKind::kOverloaded);
  serve();
  EXPECT_EQ(outcome(), "overloaded: no connection to an upstream is free");
  EXPECT_TRUE(upstream->scripts[1].asked_fresh.empty());
  EXPECT_TRUE(upstream->upstream->servers()[0]->is_up());
}

TEST_F(ProxyTest, ARequestOfWhichNothingLeftGoesToTheNextServer) {
  prepare("POST", 2);
  Conversation& dead = expect(0);
  dead.write_head_error = Error(ErrorKind::kDisconnected, "closed");
  dead.head_leaves = false;
  expect(1).answer(200, "");
  serve();
  EXPECT_EQ(outcome(), "ok");
}

TEST_F(ProxyTest, AnHttp10RequestWithoutHostGetsTheServersAuthority) {
  prepare();
  fake->exchange.request.minor_version = 0;
  fake->exchange.request.authority = {};
  Conversation& talk = expect().answer(200, "");
  serve();
  EXPECT_THAT(talk.request, HasSubstr("host= s0:80\n"));
}

// Responses without a body, interim ones, trailers.

TEST_F(ProxyTest, AnAnswerToHeadKeepsItsLength) {
  prepare("HEAD");
  Conversation& talk = expect();
  talk.heads.push_back({200, {{"Content-Length", "12345"}}});
  HeadSink sink;
  fake->exchange.set_sink(sink);
  serve();
  EXPECT_EQ(outcome(), "ok");
  EXPECT_EQ(sink.length, 12345U);
  EXPECT_EQ(sink.writes, 0);
}

TEST_F(ProxyTest, StatusesWithoutABodyAreFinishedAtOnce) {
  for (int status : {204, 304}) {
    running = {};
    prepare();
    expect().heads.push_back({status, {}});
    serve();
    EXPECT_EQ(sent().status, status);
    EXPECT_EQ(sent().length, std::nullopt);
    EXPECT_TRUE(sent().finished);
  }
}

TEST_F(ProxyTest, InterimResponsesArePassedBut100) {
  prepare();
  Conversation& talk = expect();
  talk.heads = {{100, {}}, {103, {{"Link", "</a.css>"}}}, {102, {}}};
  talk.answer(200, "x");
  serve();
  EXPECT_THAT(sent().informational, ElementsAre(103, 102));
  EXPECT_EQ(sent().status, 200);
}

TEST_F(ProxyTest, InterimResponsesAreBounded) {
  prepare();
  Conversation& talk = expect();
  talk.heads.assign(100, {102, {}});
  serve();
  EXPECT_EQ(outcome(), "upstream: the upstream sent too many interim responses");
  EXPECT_LE(talk.heads_read, Proxy::kInterimMax + 1);
  EXPECT_TRUE(talk.aborted());
}

// Cancelling.

TEST_F(ProxyTest, AClientThatLeavesEndsTheWaitForTheAnswer) {
  prepare();
  Conversation& talk = expect();
  start();
  EXPECT_FALSE(running.ended());
  fake->exchange.cancellation.cancel(ErrorKind::kDisconnected, "the client left");
  EXPECT_EQ(outcome(), "disconnected: the client left");
  EXPECT_TRUE(talk.aborted());
}

TEST_F(ProxyTest, AClientThatLeavesEndsAStreamingAnswer) {
  prepare();
  Conversation& talk = expect();
  talk.heads.push_back({200, {}});
  start();
  talk.body->bytes.push("data");
  fake->exchange.cancellation.cancel(ErrorKind::kDisconnected, "the client left");
  EXPECT_EQ(outcome(), "disconnected: the client left");
  EXPECT_TRUE(talk.aborted());
}

TEST_F(ProxyTest, AClientThatLeavesDuringItsUploadEndsEverything) {
  prepare("POST");
  PushedBody& body = upload();
  Conversation& talk = expect();
  start();
  body.bytes.push("half");
  fake->exchange.cancellation.cancel(ErrorKind::kDisconnected, "the client left");
  EXPECT_EQ(outcome(), "disconnected: the client left");
  EXPECT_TRUE(talk.aborted());
  EXPECT_EQ(body.aborts, 1);
}

TEST_F(ProxyTest, AClientThatLeavesWhileConnectingIsNotServed) {
  prepare();
  Event hold;
  upstream->scripts[0].hold = &hold;
  Conversation& talk = expect();
  start();
  fake->exchange.cancellation.cancel(ErrorKind::kDisconnected, "the client left");
  hold.set();
  EXPECT_EQ(outcome(), "disconnected: the client left");
  EXPECT_EQ(talk.request, "");
  EXPECT_TRUE(upstream->upstream->servers()[0]->is_up());
}

TEST_F(ProxyTest, ASinkThatFailsEndsTheExchange) {
  prepare();
  fake->sink.fail_after = 1;
  Conversation& talk = expect();
  talk.heads.push_back({200, {}});
  start();
  talk.body->bytes.push("data");
  EXPECT_EQ(outcome(), "disconnected: the client left");
}

// Upgrades.

class UpgradeTest : public ProxyTest {
 protected:
  void prepare_handshake() {
    prepare();
    fake->add_field("Connection", "Upgrade").add_field("Upgrade", "websocket").add_field("Sec-WebSocket-Key", "a2V5");
  }
  static testing::AnswerHead switching() {
    return {101, {{"Connection", "Upgrade"}, {"Upgrade", "websocket"}, {"Sec-WebSocket-Accept", "YWNjZXB0"}}};
  }
};

TEST_F(UpgradeTest, AWebSocketBecomesATunnel) {
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

TEST_F(UpgradeTest, ARefusedHandshakeIsAnOrdinaryAnswer) {
  prepare_handshake();
  expect().answer(401, "no");
  serve();
  EXPECT_EQ(outcome(), "ok");
  EXPECT_EQ(sent().status, 401);
  EXPECT_EQ(upgrade.status, 0);
}

TEST_F(UpgradeTest, A101ThatNobodyAskedForIsAnError) {
  prepare();
  Conversation& talk = expect();
  talk.heads.push_back(switching());
  serve();
  EXPECT_EQ(outcome(), "upstream: the upstream switched to a protocol that was not asked for");
  EXPECT_TRUE(talk.aborted());
}

TEST_F(UpgradeTest, A101ToAnotherProtocolIsAnError) {
  prepare_handshake();
  expect().heads.push_back({101, {{"Connection", "Upgrade"}, {"Upgrade", "h2c"}}});
  serve();
  EXPECT_EQ(outcome(), "upstream: the upstream switched to a protocol that was not asked for");
  EXPECT_EQ(upgrade.status, 0);
}

TEST_F(UpgradeTest, ATransportThatCannotUpgradeIsSaidSo) {
  prepare_handshake();
  upgrade.refuse = true;
  Conversation& talk = expect();
  talk.heads.push_back(switching());
  serve();
  EXPECT_EQ(outcome(), "unsupported: this connection cannot be upgraded");
  EXPECT_TRUE(talk.aborted());
}

TEST_F(UpgradeTest, CancellingEndsTheTunnel) {
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
