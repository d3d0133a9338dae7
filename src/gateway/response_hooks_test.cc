// SPDX-License-Identifier: Apache-2.0
#include "gateway/response_hooks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "gateway/proxy.h"
#include "gateway/testing/fake_upstream.h"
#include "gateway/testing/middleware_fixture.h"

namespace sandgate::gateway {
namespace {

using modules::AttachPoint;
using modules::OnFailure;
using sandbox::FailureKind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Running;
using testing::ScriptedAction;
using Kind = testing::Action::Kind;

class ResponseHooksTest : public testing::MiddlewareFixture {};

TEST_F(ResponseHooksTest, AResponseModuleSeesTheWholeResponse) {
  response_module("m");
  serve();
  ASSERT_EQ(calls.seen.size(), 1U);
  EXPECT_THAT(calls.seen[0].head, HasSubstr("200\n"));
  EXPECT_TRUE(calls.seen[0].has_field("content-type: text/plain"));
  EXPECT_EQ(calls.seen[0].body, "upstream says hello");
  EXPECT_EQ(sent().body, "upstream says hello");
  EXPECT_EQ(sent().length, 19U);
  EXPECT_TRUE(sent().finished);
}

TEST_F(ResponseHooksTest, ResponseModulesChangeStatusFieldsAndBody) {
  response_module("a");
  response_module("b");
  inner.answer_fields = {{"content-type", "text/plain"}, {"server", "x"}, {"content-length", "19"}};
  inner.announced = 19;
  calls.script["a.response"] = {.kind = Kind::kModify,
                                .status = 503,
                                .set = {{"Content-Type", "application/json"}},
                                .add = {{"x-a", "1"}},
                                .remove = {"server"},
                                .body = "{}"};
  serve();
  EXPECT_THAT(calls.seen[1].head, HasSubstr("503\n"));
  EXPECT_TRUE(calls.seen[1].has_field("content-length: 2"));
  EXPECT_EQ(calls.seen[1].body, "{}");
  EXPECT_EQ(sent().status, 503);
  EXPECT_EQ(sent().field("content-type"), "application/json");
  EXPECT_EQ(sent().field("x-a"), "1");
  EXPECT_FALSE(sent().has_field("server"));
  EXPECT_EQ(sent().body, "{}");
  EXPECT_EQ(sent().length, 2U);
}

TEST_F(ResponseHooksTest, TheRequestIdOfAResponseStays) {
  response_module("m");
  calls.script["m.response"] = {.kind = Kind::kModify, .set = {{"X-Request-Id", "forged"}}};
  serve();
  EXPECT_EQ(sent().field("x-request-id"), fake.exchange.id);
}

TEST_F(ResponseHooksTest, ARejectedResponseLeaksNothing) {
  response_module("a");
  response_module("b");
  inner.answer_fields = {{"content-type", "text/html"},
                         {"content-encoding", "br"},
                         {"etag", "\"1\""},
                         {"cache-control", "public"},
                         {"set-cookie", "session=1"}};
  calls.script["a.response"] = ScriptedAction::reject(418);
  serve();
  EXPECT_EQ(outcome(), "ok");
  EXPECT_EQ(calls.order(), "a.response ");
  EXPECT_EQ(sent().status, 418);
  EXPECT_THAT(sent().body, HasSubstr("\"error\":\"rejected\""));
  EXPECT_THAT(sent().body, Not(HasSubstr("hello")));
  EXPECT_EQ(sent().field("content-type"), "application/problem+json");
  EXPECT_EQ(sent().field("cache-control"), "no-store");
  EXPECT_FALSE(sent().has_field("content-encoding"));
  EXPECT_FALSE(sent().has_field("etag"));
  EXPECT_FALSE(sent().has_field("set-cookie"));
  EXPECT_EQ(sent().length, sent().body.size());
}

TEST_F(ResponseHooksTest, AFailingResponseModuleIsSkippedByDefault) {
  response_module("bad");
  response_module("good");
  calls.script["bad.response"] = ScriptedAction::fails(FailureKind::kTrap);
  serve();
  EXPECT_EQ(calls.order(), "bad.response good.response ");
  EXPECT_EQ(sent().status, 200);
  EXPECT_EQ(sent().body, "upstream says hello");
  EXPECT_EQ(testing::failures(*deployed[0]), 1U);
}

TEST_F(ResponseHooksTest, AFailingResponseModuleClosesWhenItWasDeployedClosed) {
  response_module("bad", {.on_failure = OnFailure::kClosed});
  calls.script["bad.response"] = ScriptedAction::fails(FailureKind::kTrap);
  serve();
  EXPECT_EQ(sent().status, 503);
  EXPECT_THAT(sent().body, HasSubstr("a required module failed"));
}

TEST_F(ResponseHooksTest, AnEventStreamIsNeverHeldBack) {
  for (std::string_view type : {"text/event-stream", "Text/Event-Stream; charset=utf-8", "application/x-ndjson"}) {
    modules::ModuleStore one;
    testing::deploy(one, "m", {AttachPoint::kOnResponse});
    calls.seen.clear();
    calls.script["m.response"] = {.kind = Kind::kModify, .status = 201, .set = {{"x-m", "1"}}, .body = "ignored"};
    testing::PushedBody* upstream_body = nullptr;
    test::FakeExchange request;
    testing::FakeUpstream upstream(request.loop, 1);
    Proxy proxy(upstream.upstream);
    testing::Conversation& talk = upstream.scripts[0].expect();
    talk.heads.push_back({200, {{"Content-Type", std::string(type)}}});
    upstream_body = talk.body.get();
    Middleware around(calls, one, settings, proxy);
    Chain handler(one, Chain::Deployed::kRun, {}, around, proxy, 1);
    Running served;
    start_serving(handler, request.exchange, served);
    EXPECT_EQ(request.sent().status, 201);
    EXPECT_EQ(request.sent().field("x-m"), "1");
    EXPECT_EQ(calls.seen.at(0).body, "");
    upstream_body->bytes.push("data: 1\n\n");
    EXPECT_EQ(request.sent().body, "data: 1\n\n");
    upstream_body->bytes.end();
    ASSERT_TRUE(served.ended());
    EXPECT_TRUE(*served.status);
    EXPECT_TRUE(request.sent().finished);
  }
}

TEST_F(ResponseHooksTest, ARejectedEventStreamIsReplacedAndStopped) {
  response_module("m");
  inner.answer_fields = {{"content-type", "text/event-stream"}};
  inner.pieces.assign(1000, "data\n\n");
  calls.script["m.response"] = ScriptedAction::reject(403);
  serve();
  EXPECT_EQ(outcome(), "ok");
  EXPECT_EQ(sent().status, 403);
  EXPECT_TRUE(sent().finished);
  EXPECT_THAT(sent().body, Not(HasSubstr("data\n")));
}

TEST_F(ResponseHooksTest, AResponseOverTheLimitStreamsPastTheModules) {
  response_module("a");
  response_module("b");
  settings.body_bytes_max = 20;
  inner.pieces = {"1234567890", "1234567890", "more", "and more"};
  serve();
  EXPECT_EQ(outcome(), "ok");
  EXPECT_TRUE(calls.seen.empty());
  EXPECT_EQ(sent().body, "12345678901234567890moreand more");
  EXPECT_EQ(sent().length, std::nullopt);
  EXPECT_EQ(testing::failures(*deployed[0]), 1U);
  EXPECT_EQ(testing::failures(*deployed[1]), 1U);
}

TEST_F(ResponseHooksTest, AResponseWhoseLengthIsOverTheLimitIsNotCollected) {
  response_module("a");
  settings.body_bytes_max = 20;
  inner.announced = 25;
  inner.pieces = {"12345", "12345678901234567890"};
  serve();
  EXPECT_EQ(sent().length, 25U);
  EXPECT_EQ(sent().body.size(), 25U);
  EXPECT_TRUE(calls.seen.empty());
}

TEST_F(ResponseHooksTest, AResponseOverTheLimitIs503WhenModulesAreRequired) {
  response_module("a", {.on_failure = OnFailure::kClosed});
  settings.body_bytes_max = 10;
  inner.pieces = {"1234567890", "1"};
  serve();
  EXPECT_EQ(outcome(), "ok");
  EXPECT_EQ(sent().status, 503);
  EXPECT_TRUE(inner.stopped_early);
}

TEST_F(ResponseHooksTest, AnAnswerThatBreaksWhileItIsCollectedCanStillBe502) {
  response_module("a");
  inner.breaks = true;
  serve();
  EXPECT_EQ(outcome(), "upstream: broke off");
  EXPECT_EQ(sent().status, 0);
  EXPECT_FALSE(fake.sink.committed());
  EXPECT_TRUE(calls.seen.empty());
}

TEST_F(ResponseHooksTest, ErrorsOfTheGatewayDoNotPassResponseModules) {
  response_module("a");
  inner.error = Error(ErrorKind::kTimedOut, "no answer");
  serve();
  EXPECT_EQ(outcome(), "timed_out: no answer");
  EXPECT_TRUE(calls.seen.empty());
}

TEST_F(ResponseHooksTest, ABodyForAStatusWithoutOneIsDropped) {
  for (int status : {204, 304}) {
    modules::ModuleStore one;
    testing::deploy(one, "m", {AttachPoint::kOnResponse});
    calls.script["m.response"] = {.kind = Kind::kModify, .status = status, .body = "dropped"};
    Middleware around(calls, one, settings, inner);
    Chain handler(one, Chain::Deployed::kRun, {}, around, inner, 1);
    test::FakeExchange request;
    request.exchange.request.method = "GET";
    Running served;
    start_serving(handler, request.exchange, served);
    ASSERT_TRUE(served.ended());
    EXPECT_EQ(request.sent().status, status);
    EXPECT_EQ(request.sent().body, "");
  }
}

TEST_F(ResponseHooksTest, TrailersGoOnUnlessTheBodyIsNew) {
  response_module("m");
  http::Fields trailers(fake.arena);
  trailers.add("x-checksum", "1");
  inner.trailers = &trailers;
  serve();
  EXPECT_EQ(sent().length, std::nullopt) << "only a body of unknown length can have trailers";
  EXPECT_EQ(sent().body, "upstream says hello");
}

TEST_F(ResponseHooksTest, CancellingDuringAResponseHookEndsTheExchange) {
  response_module("m");
  Event hold;
  calls.script["m.response"].hold = &hold;
  start();
  fake.exchange.cancellation.cancel(ErrorKind::kDisconnected, "the client left");
  hold.set();
  EXPECT_EQ(outcome(), "disconnected: the client left");
  EXPECT_EQ(sent().status, 0);
  EXPECT_EQ(testing::successes(*deployed[0]) + testing::failures(*deployed[0]), 0U);
}

TEST_F(ResponseHooksTest, InterimResponsesPass) {
  response_module("m");
  testing::FakeUpstream upstream(fake.loop, 1);
  Proxy proxy(upstream.upstream);
  testing::Conversation& talk = upstream.scripts[0].expect();
  talk.heads.push_back({103, {}});
  talk.answer(200, "x");
  Middleware around(calls, store, settings, proxy);
  Chain handler(store, Chain::Deployed::kRun, {}, around, proxy, 1);
  start_serving(handler, fake.exchange, running);
  EXPECT_EQ(outcome(), "ok");
  EXPECT_THAT(sent().informational, ElementsAre(103));
}

TEST_F(ResponseHooksTest, WithoutBodiesTheResponseStreams) {
  response_module("m", {.body = false});
  settings.body_bytes_max = 4;
  calls.script["m.response"] = {.kind = Kind::kModify, .status = 203, .body = "ignored"};
  inner.announced = 19;
  serve();
  EXPECT_EQ(outcome(), "ok");
  EXPECT_EQ(sent().status, 203);
  EXPECT_EQ(sent().length, 19U);
  EXPECT_EQ(sent().body, "upstream says hello");
}

TEST_F(ResponseHooksTest, AnErrorModuleSeesTheGatewaysAnswerAndMayReplaceIt) {
  error_module("m");
  inner.error = Error(ErrorKind::kUpstream, "no upstream could be reached");
  calls.script["m.error"] = {.kind = Kind::kModify, .status = 200, .set = {{"x-fallback", "1"}}, .body = "cached"};
  serve();
  EXPECT_EQ(outcome(), "ok");
  EXPECT_THAT(calls.seen.at(0).head, HasSubstr("502\n"));
  EXPECT_THAT(calls.seen.at(0).body, HasSubstr("no upstream could be reached"));
  EXPECT_EQ(sent().status, 200);
  EXPECT_EQ(sent().body, "cached");
  EXPECT_EQ(sent().field("x-fallback"), "1");
  EXPECT_EQ(fake.exchange.record.error, "no upstream could be reached");
}

TEST_F(ResponseHooksTest, ErrorModulesRunFor502And503And504Only) {
  struct Case {
    ErrorKind kind;
    int status;
  };
  for (Case expected : {Case{ErrorKind::kUpstream, 502}, Case{ErrorKind::kOverloaded, 503},
                        Case{ErrorKind::kTimedOut, 504}, Case{ErrorKind::kInvalid, 0}, Case{ErrorKind::kInternal, 0}}) {
    modules::ModuleStore one;
    testing::deploy(one, "m", {AttachPoint::kOnError});
    calls.seen.clear();
    inner.error = Error(expected.kind, "oh");
    Middleware around(calls, one, settings, inner);
    Chain handler(one, Chain::Deployed::kRun, {}, around, inner, 1);
    test::FakeExchange request;
    Running served;
    start_serving(handler, request.exchange, served);
    ASSERT_TRUE(served.ended());
    EXPECT_EQ(request.sent().status, expected.status);
    EXPECT_EQ(calls.seen.size(), expected.status == 0 ? 0U : 1U);
  }
}

TEST_F(ResponseHooksTest, AnErrorModuleThatFailsLeavesTheAnswer) {
  error_module("m");
  inner.error = Error(ErrorKind::kTimedOut, "no answer");
  calls.script["m.error"] = ScriptedAction::fails(FailureKind::kTrap);
  serve();
  EXPECT_EQ(outcome(), "ok");
  EXPECT_EQ(sent().status, 504);
  EXPECT_EQ(testing::failures(*deployed[0]), 1U);
}

TEST_F(ResponseHooksTest, AnErrorModuleDoesNotSeeAnswersOfTheUpstream) {
  error_module("m");
  inner.status = 502;
  serve();
  EXPECT_EQ(sent().status, 502);
  EXPECT_TRUE(calls.seen.empty());
}

TEST_F(ResponseHooksTest, AnAnswerThatBreaksWhileItIsCollectedIsAnError) {
  response_module("a");
  error_module("e");
  inner.breaks = true;
  serve();
  EXPECT_EQ(outcome(), "ok");
  EXPECT_EQ(calls.order(), "e.error ");
  EXPECT_EQ(sent().status, 502);
}

}  // namespace
}  // namespace sandgate::gateway
