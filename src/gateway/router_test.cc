// SPDX-License-Identifier: Apache-2.0
#include "gateway/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exchange/problem.h"
#include "gateway/fixed_response.h"
#include "gateway/upstream_path.h"
#include "telemetry/route_metrics.h"
#include "tests/support/fake_exchange.h"

namespace sandgate::gateway {
namespace {

using ::testing::HasSubstr;

// Answers with what the router noted.
class Echo final : public Handler {
 public:
  Task<Status> serve(Exchange& exchange) const override {
    text = "route " + std::string(exchange.route.name) + " rest " + std::string(exchange.route.rest);
    for (const RouteParameter& parameter : exchange.route.parameters)
      text += " " + std::string(parameter.name) + "=" + std::string(parameter.value);
    text += " path " + std::string(exchange.request.path);
    Status answered = co_await respond(exchange, 200, "text/plain", text);
    co_return answered;
  }
  mutable std::string text;
};

routing::RouteRule rule(std::string_view path, std::vector<std::string> methods = {}) {
  return {routing::HostPattern(), *routing::PathPattern::parse(path), std::move(methods)};
}

class RouterTest : public ::testing::Test {
 protected:
  RouterTest()
      : router_(routing::RouteTable({rule("/users/:id/*rest"), rule("/plain", {"POST"})}),
                {{"users", &echo_}, {"plain", &echo_}}) {}

  Echo echo_;
  Router router_;
};

TEST_F(RouterTest, HandsOnToTheRouteAndTellsWhatItCaptured) {
  test::FakeExchange fake("GET", "/users/7/a/b");
  ASSERT_TRUE(test::serve(router_, fake));
  EXPECT_EQ(fake.sent().body, "route users rest a/b id=7 rest=a/b path /users/7/a/b");
}

TEST_F(RouterTest, TellsWhereTheRouteCounts) {
  telemetry::RouteMetrics metrics(1);
  Router router(routing::RouteTable({rule("/a")}), {{"a", &echo_, &metrics.of("a")}});
  test::FakeExchange fake("GET", "/a");
  ASSERT_TRUE(test::serve(router, fake));
  EXPECT_EQ(fake.exchange.route.counts, &metrics.of("a"));
  test::FakeExchange lost("GET", "/b");
  EXPECT_FALSE(test::serve(router, lost));
  EXPECT_EQ(lost.exchange.route.counts, nullptr);
}

TEST_F(RouterTest, TheRestOfAPlainRouteIsThePath) {
  test::FakeExchange fake("POST", "/plain");
  ASSERT_TRUE(test::serve(router_, fake));
  EXPECT_EQ(fake.sent().body, "route plain rest plain path /plain");
}

TEST_F(RouterTest, NoRouteIsNotFound) {
  test::FakeExchange fake("GET", "/other");
  Status status = test::serve(router_, fake);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kNotFound);
}

TEST_F(RouterTest, AnotherMethodIs405WithWhatIsAllowed) {
  test::FakeExchange fake("GET", "/plain");
  ASSERT_TRUE(test::serve(router_, fake));
  EXPECT_EQ(fake.sent().status, 405);
  EXPECT_EQ(fake.sent().field("allow"), "POST");
}

TEST(FixedResponse, AnswersTheSameToEveryone) {
  FixedResponse handler({.status = 418, .body = "tea", .content_type = "", .fields = {{"x-a", "b"}}});
  test::FakeExchange fake("POST", "/any");
  ASSERT_TRUE(test::serve(handler, fake));
  EXPECT_EQ(fake.sent().status, 418);
  EXPECT_EQ(fake.sent().body, "tea");
  EXPECT_EQ(fake.sent().field("content-type"), "text/plain; charset=utf-8");
  EXPECT_EQ(fake.sent().field("x-a"), "b");
}

TEST(FixedResponse, WithoutABodyHasNoType) {
  FixedResponse handler({.status = 204});
  test::FakeExchange fake;
  ASSERT_TRUE(test::serve(handler, fake));
  EXPECT_EQ(fake.sent().status, 204);
  EXPECT_FALSE(fake.sent().has_field("content-type"));
}

TEST(UpstreamPath, TheRestGoesOnBelowTheRoot) {
  Echo echo;
  UpstreamPathHandler handler(UpstreamPath::kRest, echo);
  test::FakeExchange fake("GET", "/users/7/a");
  fake.exchange.route.rest = "a";
  ASSERT_TRUE(test::serve(handler, fake));
  EXPECT_EQ(fake.exchange.request.path, "/a");
}

TEST(UpstreamPath, TheRawPathIsWhatTheClientWroteUnlessAModuleChangedIt) {
  Echo echo;
  UpstreamPathHandler handler(UpstreamPath::kRaw, echo);
  test::FakeExchange fake("GET", "/a/b");
  fake.exchange.target = "/%61//b?x=1";
  ASSERT_TRUE(test::serve(handler, fake));
  EXPECT_EQ(fake.exchange.request.path, "/%61//b");
  test::FakeExchange changed("GET", "/c");
  changed.exchange.target = "/%61//b";
  ASSERT_TRUE(test::serve(handler, changed));
  EXPECT_EQ(changed.exchange.request.path, "/c");
}

TEST(UpstreamPath, FindsThePathOfATarget) {
  EXPECT_EQ(raw_path("/a?b"), "/a");
  EXPECT_EQ(raw_path("http://host/a?b"), "/a");
  EXPECT_EQ(raw_path("/a?u=http://host/b"), "/a");
  EXPECT_EQ(raw_path("http://host"), "");
  EXPECT_EQ(raw_path("*"), "");
}

}  // namespace
}  // namespace sandgate::gateway
