// SPDX-License-Identifier: Apache-2.0
#include "gateway/middleware.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "gateway/testing/fake_upstream.h"
#include "gateway/testing/middleware_fixture.h"

namespace sandgate::gateway {
namespace {

using modules::AttachPoint;
using modules::OnFailure;
using sandbox::FailureKind;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::PushedBody;
using testing::Running;
using testing::ScriptedAction;
using Kind = testing::Action::Kind;

class MiddlewareTest : public testing::MiddlewareFixture {};

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
    Chain handler(one, Chain::Deployed::kRun, {}, around, inner, 1);
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
    Chain handler(one, Chain::Deployed::kRun, {}, around, inner, 1);
    test::FakeExchange request;
    Running served;
    start_serving(handler, request.exchange, served);
    ASSERT_TRUE(served.ended());
    EXPECT_EQ(request.sent().status, 503);
    EXPECT_THAT(request.sent().body, HasSubstr("a required module failed"));
    EXPECT_THAT(request.sent().body, Not(HasSubstr("secret")));
    EXPECT_EQ(testing::failures(*module), 1U);
    EXPECT_EQ(one.totals().failures, 1U);
  }
  EXPECT_EQ(inner.served, 0);
}

TEST_F(MiddlewareTest, AFailingModuleIsSkippedWhenItWasDeployedOpen) {
  request_module("bad", {.on_failure = OnFailure::kOpen});
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
  EXPECT_EQ(testing::successes(*deployed[0]) + testing::failures(*deployed[0]), 0U) << "it never ran";
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
  EXPECT_EQ(testing::successes(*deployed[0]) + testing::failures(*deployed[0]), 0U);
  EXPECT_EQ(sent().status, 0);
}

TEST_F(MiddlewareTest, ExecutionsAndAccessesAreCounted) {
  request_module("m");
  serve();
  EXPECT_EQ(testing::successes(*deployed[0]), 1U);
  EXPECT_EQ(store.totals().successes, 1U);
  EXPECT_EQ(deployed[0]->counters->access_count.load(), 1U);
  EXPECT_GT(deployed[0]->counters->last_accessed_unix_ns.load(), 0);
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
  deployed.clear();
  hold.set();
  EXPECT_EQ(calls.order(), "a.request b.request ");
  EXPECT_EQ(outcome(), "ok");
}

TEST_F(MiddlewareTest, AModuleWithoutBodiesLeavesTheBodyStreaming) {
  request_module("m", {.body = false});
  settings.body_bytes_max = 4;
  calls.script["m.request"] = {.kind = Kind::kModify, .set = {{"x-m", "1"}}, .body = "new"};
  fake.set_body(std::make_unique<test::PiecesBody>(std::vector<std::string>{"12345", "67890"}));
  serve();
  EXPECT_EQ(outcome(), "ok");
  EXPECT_EQ(calls.seen[0].body, "");
  EXPECT_EQ(inner.body, "1234567890") << "longer than modules may see, and not theirs to replace";
  EXPECT_THAT(inner.fields, HasSubstr("x-m: 1\n"));
}

TEST_F(MiddlewareTest, AModuleWithoutBodiesSeesNoneBesideOneThatDoes) {
  request_module("blind", {.body = false});
  request_module("seeing");
  fake.set_body("hello");
  serve();
  EXPECT_EQ(calls.seen[0].body, "");
  EXPECT_EQ(calls.seen[1].body, "hello");
}

TEST_F(MiddlewareTest, AClosedModuleAndAnOpenOneKeepTheirPolicies) {
  request_module("open", {.on_failure = OnFailure::kOpen});
  request_module("closed");
  calls.script["open.request"] = ScriptedAction::fails(FailureKind::kTrap);
  calls.script["closed.request"] = ScriptedAction::fails(FailureKind::kTrap);
  serve();
  EXPECT_EQ(calls.order(), "open.request closed.request ");
  EXPECT_EQ(sent().status, 503);
}

TEST_F(MiddlewareTest, RequestTrailersPassAModuleThatLeavesTheBody) {
  request_module("m");
  http::Fields trailers(fake.arena);
  trailers.add("x-checksum", "1");
  auto body = std::make_unique<test::PiecesBody>(std::vector<std::string>{"hello"});
  body->trailer_fields = &trailers;
  fake.set_body(std::move(body));
  serve();
  EXPECT_EQ(inner.length, std::nullopt) << "only a body of unknown length can have trailers";
  ASSERT_NE(inner.trailers_seen, nullptr);
  EXPECT_EQ(inner.trailers_seen->find("x-checksum"), "1");
}

TEST_F(MiddlewareTest, StepsAreNotedWhenSomebodyReadsThem) {
  request_module("a");
  request_module("b", {.on_failure = OnFailure::kOpen});
  response_module("c");
  calls.script["a.request"] = {.kind = Kind::kModify};
  calls.script["b.request"] = ScriptedAction::fails(FailureKind::kDeadline);
  fake.exchange.record.keeps_steps = true;
  serve();
  std::string steps;
  for (const ExchangeStep* step = fake.exchange.record.steps; step != nullptr; step = step->next) {
    steps += std::string(step->module) + "." + std::string(step->point) + "=" + std::string(step->outcome) + " ";
  }
  EXPECT_EQ(steps, "a.OnRequest=modify b.OnRequest=deadline c.OnResponse=continue ");
}

}  // namespace
}  // namespace sandgate::gateway
