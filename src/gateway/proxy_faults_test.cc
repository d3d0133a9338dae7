// SPDX-License-Identifier: Apache-2.0
//
// What a client's body and an upstream's answer can do wrong, and who is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "gateway/testing/proxy_fixture.h"

namespace sandgate::gateway {
namespace {

using testing::Conversation;
using ::testing::HasSubstr;
using testing::PushedBody;

class ProxyFaultsTest : public testing::ProxyFixture {};

// Errors of the client's own body.

TEST_F(ProxyFaultsTest, ABodyThatBreaksIsTheClientsFault) {
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

TEST_F(ProxyFaultsTest, ABodyThatIsTooLargeIsTheClientsFault) {
  prepare("POST");
  PushedBody& body = upload();
  Conversation& talk = expect();
  start();
  body.bytes.break_off(ErrorKind::kTooLarge, "the body is too large");
  EXPECT_EQ(outcome(), "too_large: the body is too large");
  EXPECT_TRUE(talk.aborted());
}

TEST_F(ProxyFaultsTest, ABodyThatDoesNotComeIs408) {
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

TEST_F(ProxyFaultsTest, ABodyThatFailsAtOnceReachesNoUpstream) {
  prepare("POST");
  PushedBody& body = upload();
  body.bytes.break_off(ErrorKind::kInvalid, "broken");
  Conversation& talk = expect();
  serve();
  EXPECT_EQ(outcome(), "invalid: broken");
  EXPECT_EQ(talk.request, "");
}

TEST_F(ProxyFaultsTest, ABodyThatBreaksDuringTheAnswerAbortsIt) {
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

TEST_F(ProxyFaultsTest, AnUpstreamThatBreaksInTheMiddleAbortsTheAnswer) {
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

TEST_F(ProxyFaultsTest, AnUpstreamThatStallsInTheMiddleAbortsTheAnswer) {
  prepare();
  Conversation& talk = expect();
  talk.heads.push_back({200, {}});
  start();
  talk.body->bytes.break_off(ErrorKind::kTimedOut, "silence");
  EXPECT_EQ(outcome(), "timed_out: the upstream's answer stalled");
  EXPECT_TRUE(sent().aborted);
}

TEST_F(ProxyFaultsTest, AMalformedAnswerIsTheUpstreamsFault) {
  prepare();
  expect().read_head_error = Error(ErrorKind::kUpstream, "malformed", "a bare LF");
  serve();
  EXPECT_EQ(outcome(), "upstream: the upstream's answer is not valid HTTP");
  EXPECT_EQ(running.status->error().cause, "malformed: a bare LF");
}

TEST_F(ProxyFaultsTest, AnUpstreamThatTakesNothingIsATimeout) {
  prepare("POST");
  PushedBody& body = upload();
  Conversation& talk = expect();
  talk.write_body_error = Error(ErrorKind::kTimedOut, "the upstream takes no bytes");
  start();
  body.bytes.push("x");
  EXPECT_EQ(outcome(), "timed_out: the upstream did not take the request in time");
}

TEST_F(ProxyFaultsTest, AnAnswerIsStillReadFromAnUpstreamThatStoppedReading) {
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

TEST_F(ProxyFaultsTest, AnAnswerIsStillReadWhenTheFirstWriteBroke) {
  prepare("POST");
  upload().bytes.push("more than it wants");
  Conversation& talk = expect().answer(413, "enough");
  talk.write_head_error = Error(ErrorKind::kDisconnected, "the upstream closed the connection");
  serve();
  EXPECT_EQ(outcome(), "ok");
  EXPECT_EQ(sent().status, 413);
  EXPECT_EQ(sent().body, "enough");
}

TEST_F(ProxyFaultsTest, AFirstWriteThatBrokeWithoutAnAnswerIsTheUpstreamsFault) {
  prepare("POST");
  upload().bytes.push("lost");
  Conversation& talk = expect();
  talk.write_head_error = Error(ErrorKind::kDisconnected, "the upstream closed the connection");
  talk.read_head_error = Error(ErrorKind::kDisconnected, "closed");
  serve();
  EXPECT_EQ(outcome(), "upstream: the upstream closed the connection before it answered");
}

}  // namespace
}  // namespace sandgate::gateway
