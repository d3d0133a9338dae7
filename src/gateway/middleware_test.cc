// SPDX-License-Identifier: Apache-2.0
#include "gateway/middleware.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "gateway/chain.h"
#include "gateway/proxy.h"
#include "gateway/testing/fake_upstream.h"
#include "gateway/testing/running.h"
#include "gateway/testing/scripted_calls.h"
#include "tests/support/fake_exchange.h"

namespace sandgate::gateway {
namespace {

using modules::AttachPoint;
using sandbox::FailureKind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::PushedBody;
using testing::Running;
using testing::ScriptedAction;
using testing::ScriptedCalls;
using Kind = testing::Action::Kind;

// The handler that modules surround: keeps what it is given and answers.
class Inner final : public Handler {
 public:
  Task<Status> serve(Exchange& exchange) const override {
    ++served;
    authority = exchange.request.authority;
    fields.clear();
    for (const http::Field& field : exchange.request.fields)
      fields += std::string(field.name) + ": " + std::string(field.value) + "\n";
    body.clear();
    length = exchange.body().length();
    while (true) {
      Result<std::string_view> piece = co_await exchange.body().read();
      if (!piece) co_return fail(std::move(piece.error()));
      if (piece->empty()) break;
      body += *piece;
    }
    if (error) co_return fail(*error);
    http::ResponseHead head(exchange.arena());
    head.status = status;
    head.fields.add("x-request-id", exchange.id);
    for (const auto& [name, value] : answer_fields) head.fields.add(name, value);
    Status done = co_await exchange.sink().start(head, announced);
    if (!done) co_return done;
    for (const std::string& piece : pieces) {
      done = co_await exchange.sink().write(piece);
      if (!done) {
        stopped_early = true;
        co_return done;
      }
    }
    if (breaks) {
      exchange.sink().abort();
      co_return fail(ErrorKind::kUpstream, "broke off");
    }
    done = co_await exchange.sink().finish(trailers);
    co_return done;
  }

  int status = 200;
  std::vector<std::pair<std::string, std::string>> answer_fields{{"content-type", "text/plain"}};
  std::optional<std::uint64_t> announced;
  std::vector<std::string> pieces{"upstream says ", "hello"};
  const http::Fields* trailers = nullptr;
  std::optional<Error> error;
  bool breaks = false;

  mutable int served = 0;
  mutable std::string authority;
  mutable std::string fields;
  mutable std::string body;
  mutable std::optional<std::uint64_t> length;
  mutable bool stopped_early = false;
};

class MiddlewareTest : public ::testing::Test {
 protected:
  void request_module(std::string name) {
    modules.push_back(testing::deploy(store, std::move(name), {AttachPoint::kOnRequest}));
  }
  void response_module(std::string name) {
    modules.push_back(testing::deploy(store, std::move(name), {AttachPoint::kOnResponse}));
  }
  void start() {
    middleware = std::make_unique<Middleware>(calls, store, settings, inner);
    chain = std::make_unique<Chain>(store, *middleware, inner, 1);
    start_serving(*chain, fake.exchange, running);
  }
  void serve() {
    start();
    ASSERT_TRUE(running.ended());
  }
  std::string outcome() const {
    if (!running.ended()) return "running";
    if (*running.status) return "ok";
    return std::string(error_kind_name(running.status->error().kind)) + ": " + running.status->error().detail;
  }
  const test::SentResponse& sent() const { return fake.sent(); }

  modules::ModuleStore store;
  std::vector<std::shared_ptr<const modules::DeployedModule>> modules;
  ScriptedCalls calls;
  MiddlewareSettings settings;
  Inner inner;
  test::FakeExchange fake{"POST", "/v1/chat"};
  std::unique_ptr<Middleware> middleware;
  std::unique_ptr<Chain> chain;
  Running running;
};

// OnRequest.

TEST_F(MiddlewareTest, WithoutModulesNothingIsBuffered) {
  auto body = std::make_unique<PushedBody>();
  PushedBody& source = *body;
  fake.set_body(std::move(body));
  start();
  EXPECT_EQ(inner.served, 1) << "before any byte of the body has come";
  source.bytes.push("late");
  source.bytes.end();
  EXPECT_EQ(outcome(), "ok");
  EXPECT_EQ(inner.body, "late");
}

TEST_F(MiddlewareTest, AModuleSeesTheWholeRequest) {
  request_module("auth");
  fake.set_body("{}").add_field("Authorization", "Bearer x").add_field("Accept", "a").add_field("Accept", "b");
  fake.exchange.request.query = "a=b";
  fake.exchange.request.has_query = true;
  serve();
  ASSERT_EQ(calls.seen.size(), 1U);
  const testing::SeenCall& call = calls.seen[0];
  EXPECT_THAT(call.head, HasSubstr("POST /v1/chat?a=b\n"));
  EXPECT_TRUE(call.has_field("Authorization: Bearer x"));
  EXPECT_THAT(call.head, HasSubstr("Accept: a\nAccept: b\n"));
  EXPECT_EQ(call.body, "{}");
  EXPECT_EQ(call.request_id, fake.exchange.id);
  EXPECT_GT(call.now_epoch_ms, 1'600'000'000'000U);
  EXPECT_EQ(inner.body, "{}");
  EXPECT_EQ(sent().body, "upstream says hello");
}

TEST_F(MiddlewareTest, ModulesRunInDeploymentOrderAndSeeEarlierChanges) {
  request_module("c");
  request_module("a");
  request_module("b");
  fake.set_body("old").add_field("content-length", "3").add_field("x-list", "1");
  calls.script["c.request"] = {
      .kind = Kind::kModify, .set = {{"x-user", "eve"}}, .add = {{"x-list", "2"}}, .body = "longer body"};
  calls.script["a.request"] = {.kind = Kind::kModify, .status = 418, .remove = {"X-User"}};
  serve();
  EXPECT_EQ(calls.order(), "c.request a.request b.request ");
  EXPECT_TRUE(calls.seen[1].has_field("x-user: eve"));
  EXPECT_TRUE(calls.seen[1].has_field("content-length: 11"));
  EXPECT_EQ(calls.seen[1].body, "longer body");
  EXPECT_FALSE(calls.seen[2].has_field("x-user: eve"));
  EXPECT_EQ(inner.body, "longer body");
  EXPECT_EQ(inner.length, 11U);
  EXPECT_THAT(inner.fields, HasSubstr("x-list: 1\nx-list: 2\n"));
  EXPECT_EQ(sent().status, 200) << "the status of a modify on a request is ignored";
}

TEST_F(MiddlewareTest, ANewHostIsTheNewAuthority) {
  request_module("router");
  calls.script["router.request"] = {.kind = Kind::kModify, .set = {{"Host", "other.example:81"}}};
  serve();
  EXPECT_EQ(inner.authority, "other.example:81");
}

TEST_F(MiddlewareTest, AnEmptiedBodyIsEmpty) {
  request_module("m");
  fake.set_body("something");
  calls.script["m.request"] = {.kind = Kind::kModify, .body = ""};
  serve();
  EXPECT_EQ(inner.length, 0U);
}

TEST_F(MiddlewareTest, ARejectionAnswersAtOnceAndNothingElseRuns) {
  request_module("auth");
  request_module("later");
  response_module("logger");
  calls.script["auth.request"] = ScriptedAction::reject(401);
  serve();
  EXPECT_EQ(outcome(), "ok");
  EXPECT_EQ(calls.order(), "auth.request ");
  EXPECT_EQ(inner.served, 0);
  EXPECT_EQ(sent().status, 401);
  EXPECT_EQ(sent().field("content-type"), "application/problem+json");
  EXPECT_THAT(sent().body, HasSubstr("\"error\":\"rejected\""));
  EXPECT_EQ(fake.exchange.record.error, "rejected");
}

TEST_F(MiddlewareTest, ARejectionMayHaveAnyFinalStatus) {
  for (int status : {200, 204, 302, 403, 429, 503}) {
    modules::ModuleStore one;
    testing::deploy(one, "m", {AttachPoint::kOnRequest});
    calls.script["m.request"] = ScriptedAction::reject(status);
    Middleware around(calls, one, settings, inner);
    test::FakeExchange request;
    Running served;
    Chain handler(one, around, inner, 1);
    start_serving(handler, request.exchange, served);
    ASSERT_TRUE(served.ended());
    EXPECT_EQ(request.sent().status, status);
  }
  EXPECT_EQ(inner.served, 0);
}

TEST_F(MiddlewareTest, AFailingModuleClosesByDefaultWithOneAnswerForEveryKind) {
  for (FailureKind kind : {FailureKind::kTrap, FailureKind::kDeadline, FailureKind::kCpu, FailureKind::kMemory,
                           FailureKind::kStack, FailureKind::kExit, FailureKind::kBadResult, FailureKind::kInvalidEdit,
                           FailureKind::kTooLarge, FailureKind::kInternal}) {
    modules::ModuleStore one;
    auto module = testing::deploy(one, "m", {AttachPoint::kOnRequest});
    calls.script["m.request"] = ScriptedAction::fails(kind);
    Middleware around(calls, one, settings, inner);
    Chain handler(one, around, inner, 1);
    test::FakeExchange request;
    Running served;
    start_serving(handler, request.exchange, served);
    ASSERT_TRUE(served.ended());
    EXPECT_EQ(request.sent().status, 503);
    EXPECT_THAT(request.sent().body, HasSubstr("a required module failed"));
    EXPECT_THAT(request.sent().body, Not(HasSubstr("secret")));
    EXPECT_EQ(module->stats.read().failures, 1U);
    EXPECT_EQ(one.totals().failures, 1U);
  }
  EXPECT_EQ(inner.served, 0);
}

TEST_F(MiddlewareTest, AFailingModuleIsSkippedWhenSettingsSaySo) {
  settings.on_request_failure = OnFailure::kOpen;
  request_module("bad");
  request_module("good");
  calls.script["bad.request"] = ScriptedAction::fails(FailureKind::kTrap);
  serve();
  EXPECT_EQ(calls.order(), "bad.request good.request ");
  EXPECT_EQ(inner.served, 1);
  EXPECT_EQ(sent().status, 200);
}

TEST_F(MiddlewareTest, WithoutAFreeInstanceTheClientIsToldToRetry) {
  request_module("m");
  calls.script["m.request"] = ScriptedAction::fails(FailureKind::kCapacity);
  serve();
  EXPECT_EQ(sent().status, 503);
  EXPECT_EQ(sent().field("retry-after"), "1");
  EXPECT_EQ(modules[0]->stats.read().executions, 0U) << "it never ran";
}

TEST_F(MiddlewareTest, ACancelledCallIsNobodysFault) {
  request_module("m");
  Event hold;
  calls.script["m.request"].hold = &hold;
  start();
  fake.exchange.cancellation.cancel(ErrorKind::kDisconnected, "the client left");
  hold.set();
  EXPECT_EQ(outcome(), "disconnected: the client left");
  EXPECT_EQ(inner.served, 0);
  EXPECT_EQ(modules[0]->stats.read().executions, 0U);
  EXPECT_EQ(sent().status, 0);
}

TEST_F(MiddlewareTest, ExecutionsAndAccessesAreCounted) {
  request_module("m");
  serve();
  EXPECT_EQ(modules[0]->stats.read().successes, 1U);
  EXPECT_EQ(store.totals().successes, 1U);
  EXPECT_EQ(modules[0]->access_count.load(), 1U);
  EXPECT_GT(modules[0]->last_accessed_unix_ns.load(), 0);
}

TEST_F(MiddlewareTest, ABodyOverTheLimitIs413AtOnceWhenItsLengthSaysSo) {
  request_module("m");
  settings.body_bytes_max = 10;
  auto body = std::make_unique<PushedBody>(11);
  fake.set_body(std::move(body));
  serve();
  EXPECT_EQ(outcome(), "too_large: the request body is larger than 10 bytes");
  EXPECT_TRUE(calls.seen.empty());
}

TEST_F(MiddlewareTest, ABodyOverTheLimitIs413WhenItTurnsOutSo) {
  request_module("m");
  settings.body_bytes_max = 10;
  fake.set_body(std::make_unique<test::PiecesBody>(std::vector<std::string>{"12345", "67890", "!"}));
  serve();
  EXPECT_EQ(outcome(), "too_large: the request body is larger than 10 bytes");
}

TEST_F(MiddlewareTest, ABodyOfExactlyTheLimitPasses) {
  request_module("m");
  settings.body_bytes_max = 10;
  fake.set_body(std::make_unique<test::PiecesBody>(std::vector<std::string>{"12345", "67890"}));
  serve();
  EXPECT_EQ(outcome(), "ok");
  EXPECT_EQ(calls.seen[0].body, "1234567890");
}

TEST_F(MiddlewareTest, ABodyThatDoesNotComeIs408) {
  request_module("m");
  fake.set_body(std::make_unique<test::PiecesBody>(
      std::vector<std::string>{"1"}, Error(ErrorKind::kTimedOut, "the request body did not arrive in time")));
  serve();
  EXPECT_EQ(outcome(), "ok");
  EXPECT_EQ(sent().status, 408);
  EXPECT_EQ(inner.served, 0);
}

TEST_F(MiddlewareTest, ARequestThatIsNoTextIs400) {
  request_module("m");
  fake.add_field("x-name", "caf\xe9");
  serve();
  EXPECT_EQ(sent().status, 400);
  EXPECT_TRUE(calls.seen.empty());
}

TEST_F(MiddlewareTest, ARequestThatIsNoTextPassesWithoutRequestModules) {
  response_module("m");
  fake.add_field("x-name", "caf\xe9");
  serve();
  EXPECT_EQ(sent().status, 200);
}

TEST_F(MiddlewareTest, TheSourceAndTheSinkAreRestored) {
  request_module("m");
  response_module("n");
  fake.set_body("x");
  serve();
  EXPECT_EQ(&fake.exchange.body(), fake.body.get());
  EXPECT_EQ(&fake.exchange.sink(), &fake.sink);
}

TEST_F(MiddlewareTest, ACallFinishesOnTheModulesItBeganWith) {
  request_module("a");
  request_module("b");
  Event hold;
  calls.script["a.request"].hold = &hold;
  start();
  ASSERT_TRUE(store.remove("uuid-b"));
  modules.clear();
  hold.set();
  EXPECT_EQ(calls.order(), "a.request b.request ");
  EXPECT_EQ(outcome(), "ok");
}

// OnResponse.

TEST_F(MiddlewareTest, AResponseModuleSeesTheWholeResponse) {
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

TEST_F(MiddlewareTest, ResponseModulesChangeStatusFieldsAndBody) {
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

TEST_F(MiddlewareTest, TheRequestIdOfAResponseStays) {
  response_module("m");
  calls.script["m.response"] = {.kind = Kind::kModify, .set = {{"X-Request-Id", "forged"}}};
  serve();
  EXPECT_EQ(sent().field("x-request-id"), fake.exchange.id);
}

TEST_F(MiddlewareTest, ARejectedResponseLeaksNothing) {
  response_module("a");
  response_module("b");
  inner.answer_fields = {{"content-type", "text/html"},
                         {"content-encoding", "br"},
                         {"etag", "\"1\""},
                         {"cache-control", "public"},
                         {"x-kept", "1"}};
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
  EXPECT_TRUE(sent().has_field("x-kept"));
  EXPECT_EQ(sent().length, sent().body.size());
}

TEST_F(MiddlewareTest, AFailingResponseModuleIsSkippedByDefault) {
  response_module("bad");
  response_module("good");
  calls.script["bad.response"] = ScriptedAction::fails(FailureKind::kTrap);
  serve();
  EXPECT_EQ(calls.order(), "bad.response good.response ");
  EXPECT_EQ(sent().status, 200);
  EXPECT_EQ(sent().body, "upstream says hello");
  EXPECT_EQ(modules[0]->stats.read().failures, 1U);
}

TEST_F(MiddlewareTest, AFailingResponseModuleClosesWhenSettingsSaySo) {
  settings.on_response_failure = OnFailure::kClosed;
  response_module("bad");
  calls.script["bad.response"] = ScriptedAction::fails(FailureKind::kTrap);
  serve();
  EXPECT_EQ(sent().status, 503);
  EXPECT_THAT(sent().body, HasSubstr("a required module failed"));
}

TEST_F(MiddlewareTest, AnEventStreamIsNeverHeldBack) {
  for (std::string_view type : {"text/event-stream", "Text/Event-Stream; charset=utf-8", "application/x-ndjson"}) {
    modules::ModuleStore one;
    testing::deploy(one, "m", {AttachPoint::kOnResponse});
    calls.seen.clear();
    calls.script["m.response"] = {.kind = Kind::kModify, .status = 201, .set = {{"x-m", "1"}}, .body = "ignored"};
    testing::PushedBody* upstream_body = nullptr;
    test::FakeExchange request;
    testing::FakeUpstream upstream(request.loop, 1);
    Proxy proxy(*upstream.upstream, 1);
    testing::Conversation& talk = upstream.scripts[0].expect();
    talk.heads.push_back({200, {{"Content-Type", std::string(type)}}});
    upstream_body = talk.body.get();
    Middleware around(calls, one, settings, proxy);
    Chain handler(one, around, proxy, 1);
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

TEST_F(MiddlewareTest, ARejectedEventStreamIsReplacedAndStopped) {
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

TEST_F(MiddlewareTest, AResponseOverTheLimitStreamsPastTheModules) {
  response_module("a");
  response_module("b");
  settings.body_bytes_max = 20;
  inner.pieces = {"1234567890", "1234567890", "more", "and more"};
  serve();
  EXPECT_EQ(outcome(), "ok");
  EXPECT_TRUE(calls.seen.empty());
  EXPECT_EQ(sent().body, "12345678901234567890moreand more");
  EXPECT_EQ(sent().length, std::nullopt);
  EXPECT_EQ(modules[0]->stats.read().failures, 1U);
  EXPECT_EQ(modules[1]->stats.read().failures, 1U);
}

TEST_F(MiddlewareTest, AResponseWhoseLengthIsOverTheLimitIsNotCollected) {
  response_module("a");
  settings.body_bytes_max = 20;
  inner.announced = 25;
  inner.pieces = {"12345", "12345678901234567890"};
  serve();
  EXPECT_EQ(sent().length, 25U);
  EXPECT_EQ(sent().body.size(), 25U);
  EXPECT_TRUE(calls.seen.empty());
}

TEST_F(MiddlewareTest, AResponseOverTheLimitIs503WhenModulesAreRequired) {
  response_module("a");
  settings.body_bytes_max = 10;
  settings.on_response_failure = OnFailure::kClosed;
  inner.pieces = {"1234567890", "1"};
  serve();
  EXPECT_EQ(outcome(), "ok");
  EXPECT_EQ(sent().status, 503);
  EXPECT_TRUE(inner.stopped_early);
}

TEST_F(MiddlewareTest, AnAnswerThatBreaksWhileItIsCollectedCanStillBe502) {
  response_module("a");
  inner.breaks = true;
  serve();
  EXPECT_EQ(outcome(), "upstream: broke off");
  EXPECT_EQ(sent().status, 0);
  EXPECT_FALSE(fake.sink.committed());
  EXPECT_TRUE(calls.seen.empty());
}

TEST_F(MiddlewareTest, ErrorsOfTheGatewayDoNotPassResponseModules) {
  response_module("a");
  inner.error = Error(ErrorKind::kTimedOut, "no answer");
  serve();
  EXPECT_EQ(outcome(), "timed_out: no answer");
  EXPECT_TRUE(calls.seen.empty());
}

TEST_F(MiddlewareTest, ABodyForAStatusWithoutOneIsDropped) {
  for (int status : {204, 304}) {
    modules::ModuleStore one;
    testing::deploy(one, "m", {AttachPoint::kOnResponse});
    calls.script["m.response"] = {.kind = Kind::kModify, .status = status, .body = "dropped"};
    Middleware around(calls, one, settings, inner);
    Chain handler(one, around, inner, 1);
    test::FakeExchange request;
    request.exchange.request.method = "GET";
    Running served;
    start_serving(handler, request.exchange, served);
    ASSERT_TRUE(served.ended());
    EXPECT_EQ(request.sent().status, status);
    EXPECT_EQ(request.sent().body, "");
  }
}

TEST_F(MiddlewareTest, TrailersGoOnUnlessTheBodyIsNew) {
  response_module("m");
  http::Fields trailers(fake.arena);
  trailers.add("x-checksum", "1");
  inner.trailers = &trailers;
  serve();
  EXPECT_EQ(sent().length, std::nullopt) << "only a body of unknown length can have trailers";
  EXPECT_EQ(sent().body, "upstream says hello");
}

TEST_F(MiddlewareTest, CancellingDuringAResponseHookEndsTheExchange) {
  response_module("m");
  Event hold;
  calls.script["m.response"].hold = &hold;
  start();
  fake.exchange.cancellation.cancel(ErrorKind::kDisconnected, "the client left");
  hold.set();
  EXPECT_EQ(outcome(), "disconnected: the client left");
  EXPECT_EQ(sent().status, 0);
  EXPECT_EQ(modules[0]->stats.read().executions, 0U);
}

TEST_F(MiddlewareTest, InterimResponsesPass) {
  response_module("m");
  testing::FakeUpstream upstream(fake.loop, 1);
  Proxy proxy(*upstream.upstream, 1);
  testing::Conversation& talk = upstream.scripts[0].expect();
  talk.heads.push_back({103, {}});
  talk.answer(200, "x");
  Middleware around(calls, store, settings, proxy);
  Chain handler(store, around, proxy, 1);
  start_serving(handler, fake.exchange, running);
  EXPECT_EQ(outcome(), "ok");
  EXPECT_THAT(sent().informational, ElementsAre(103));
}

}  // namespace
}  // namespace sandgate::gateway
