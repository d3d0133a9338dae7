// SPDX-License-Identifier: Apache-2.0
#include "gateway/proxy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "gateway/testing/proxy_fixture.h"

namespace sandgate::gateway {
namespace {

using testing::Conversation;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::PushedBody;
using Framing = http::BodyFraming::Kind;

class ProxyTest : public testing::ProxyFixture {};

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

TEST_F(ProxyTest, KeepsTimesForWhoReadsThem) {
  for (bool keeps : {false, true}) {
    prepare();
    fake->exchange.record.keeps_times = keeps;
    expect().answer(200, "hello");
    serve();
    EXPECT_EQ(fake->exchange.record.upstream_times.connect.has_value(), keeps);
    EXPECT_EQ(fake->exchange.record.upstream_times.first_byte.has_value(), keeps);
  }
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
  EXPECT_TRUE(upstream->is_up(0));
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

}  // namespace
}  // namespace sandgate::gateway
