// SPDX-License-Identifier: Apache-2.0
#include "gateway/gateway.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "exchange/problem.h"
#include "gateway/testing/running.h"
#include "tests/support/fake_exchange.h"

namespace sandgate::gateway {
namespace {

using ::testing::HasSubstr;

// Answers with its name and what it was given.
class Named final : public Handler {
 public:
  explicit Named(std::string name) : name_(std::move(name)) {}
  Task<Status> serve(Exchange& exchange) const override {
    ++served;
    id = exchange.id;
    client = exchange.client;
    path = exchange.request.path;
    if (error) co_return fail(*error);
    Status status = co_await respond(exchange, 200, "text/plain", name_);
    if (status && break_after) status = fail(*break_after);
    co_return status;
  }
  std::optional<Error> error;
  std::optional<Error> break_after;
  mutable int served = 0;
  mutable std::string id;
  mutable std::string client;
  mutable std::string path;

 private:
  std::string name_;
};

class Notes final : public ExchangeObserver {
 public:
  void began(Exchange& exchange) override {
    text += "began " + std::string(exchange.id.empty() ? "without id" : "with id") + "; ";
  }
  void ended(Exchange& exchange, Nanoseconds duration) override {
    text += "ended " + std::to_string(exchange.record.status) + " " + std::string(exchange.record.error);
    took = duration;
  }
  std::string text;
  Nanoseconds took{-1};
};

class GatewayTest : public ::testing::Test {
 protected:
  void make(std::string_view method, std::string_view path) {
    fake = std::make_unique<test::FakeExchange>(method, path);
    fake->exchange.id = {};
    fake->exchange.target = {};
    fake->exchange.client = {};
  }
  Status serve() {
    GatewaySettings settings;
    settings.endpoints = endpoints;
    settings.observer = &notes;
    settings.server_timing = server_timing;
    gateway = std::make_unique<Gateway>(std::move(settings), next, 1);
    return test::serve(*gateway, *fake);
  }
  std::string answer(std::string_view method, std::string_view path) {
    make(method, path);
    (void)serve();
    return std::to_string(fake->sent().status) + " " + fake->sent().body;
  }
  const test::SentResponse& sent() const { return fake->sent(); }

  Named next{"upstream"};
  Named health{"health"};
  Named admin{"admin"};
  std::vector<Endpoint> endpoints{{"/healthz", Endpoint::Match::kPath, &health},
                                  {"/wasm", Endpoint::Match::kTree, &admin}};
  Notes notes;
  ServerTimingRule server_timing = ServerTimingRule::kOff;
  std::unique_ptr<test::FakeExchange> fake;
  std::unique_ptr<Gateway> gateway;
};

TEST_F(GatewayTest, TellsClientsHowLongThingsTook) {
  server_timing = ServerTimingRule::kAlways;
  make("GET", "/a");
  ExchangeStep step{"auth", "OnRequest", "continue", Nanoseconds(6'400)};
  fake->exchange.record.append(step);
  fake->exchange.record.upstream_times = {Nanoseconds(204'000), Nanoseconds(2'811'000)};
  fake->exchange.started = Nanoseconds(1);
  fake->loop.advance(Nanoseconds(3'210'001) - fake->loop.now());
  ASSERT_TRUE(serve());
  EXPECT_EQ(sent().field("server-timing"),
            "total;dur=3.210, upstream-connect;dur=0.204, upstream-first-byte;dur=2.811, "
            "auth-OnRequest;dur=0.006;desc=\"continue\"");
  EXPECT_TRUE(fake->exchange.record.keeps_steps && fake->exchange.record.keeps_times);
  EXPECT_EQ(&fake->exchange.sink(), &fake->sink) << "the sink is restored";
}

TEST_F(GatewayTest, TellsClientsNothingOfTimesOtherwise) {
  for (ServerTimingRule rule : {ServerTimingRule::kOff, ServerTimingRule::kOnRequest}) {
    server_timing = rule;
    make("GET", "/a");
    ASSERT_TRUE(serve());
    EXPECT_FALSE(sent().has_field("server-timing"));
    EXPECT_FALSE(fake->exchange.record.keeps_steps || fake->exchange.record.keeps_times);
  }
  server_timing = ServerTimingRule::kAlways;
  make("GET", "/healthz");
  ASSERT_TRUE(serve());
  EXPECT_FALSE(sent().has_field("server-timing")) << "an endpoint of the gateway";
}

TEST_F(GatewayTest, TellsTimesToTrustedClientsThatAsk) {
  server_timing = ServerTimingRule::kOnRequest;
  struct Case {
    const char* peer;
    const char* forwarded_for;  // null: none
    const char* asks;
    bool told;
  };
  for (Case c : {Case{"127.0.0.1", nullptr, "1", true}, Case{"127.0.0.1", nullptr, "0", false},
                 Case{"127.0.0.1", nullptr, "true", false}, Case{"192.0.2.1", nullptr, "1", false},
                 // A proxy of ours passes on what its clients ask for: they are outside.
                 Case{"127.0.0.1", "192.0.2.1", "1", false}, Case{"127.0.0.1", "127.0.0.2", "1", true},
                 Case{"127.0.0.1", "192.0.2.1, 127.0.0.2", "1", false},
                 Case{"127.0.0.1", "127.0.0.2, 192.0.2.1", "1", false}, Case{"192.0.2.1", "127.0.0.1", "1", false}}) {
    make("GET", "/a");
    fake->exchange.peer.address = c.peer;
    fake->exchange.peer.loopback = std::string_view(c.peer).starts_with("127.");
    fake->exchange.request.fields.add("x-server-timing", c.asks);
    if (c.forwarded_for != nullptr) fake->exchange.request.fields.add("x-forwarded-for", c.forwarded_for);
    ASSERT_TRUE(serve());
    EXPECT_EQ(sent().has_field("server-timing"), c.told)
        << c.peer << " for " << (c.forwarded_for == nullptr ? "itself" : c.forwarded_for) << " says " << c.asks;
  }
}

TEST_F(GatewayTest, TellsTimesOfErrorsToo) {
  server_timing = ServerTimingRule::kAlways;
  next.error = Error{ErrorKind::kUpstream, "down", {}};
  make("GET", "/a");
  (void)serve();
  EXPECT_EQ(sent().status, 502);
  EXPECT_TRUE(sent().has_field("server-timing"));
}

TEST_F(GatewayTest, GivesTheExchangeItsIdClientAndTarget) {
  make("GET", "/a/./b");
  fake->exchange.request.query = "q=1";
  fake->exchange.request.has_query = true;
  ASSERT_TRUE(serve());
  EXPECT_EQ(next.id.size(), 32U);
  EXPECT_EQ(next.client, "127.0.0.1");
  EXPECT_EQ(next.path, "/a/b");
  EXPECT_EQ(fake->exchange.target, "/a/./b?q=1");
  EXPECT_EQ(fake->exchange.request.fields.find("x-request-id"), fake->exchange.id);
  EXPECT_EQ(fake->exchange.request.fields.find("x-forwarded-for"), "127.0.0.1");
  EXPECT_GT(fake->exchange.received_unix_ms, 1'600'000'000'000);
  EXPECT_EQ(fake->exchange.started, fake->loop.now());
}

TEST_F(GatewayTest, ServesEndpointsByPathAndTree) {
  EXPECT_EQ(answer("GET", "/healthz"), "200 health");
  EXPECT_EQ(answer("GET", "/healthz/"), "200 upstream");
  EXPECT_EQ(answer("GET", "/healthzz"), "200 upstream");
  EXPECT_EQ(answer("GET", "/wasm"), "200 admin");
  EXPECT_EQ(answer("GET", "/wasm/"), "200 admin");
  EXPECT_EQ(answer("GET", "/wasm/1-2"), "200 admin");
  EXPECT_EQ(answer("GET", "/wasmer"), "200 upstream");
  EXPECT_EQ(answer("GET", "/"), "200 upstream");
}

TEST_F(GatewayTest, EndpointsSeeTheRequestAsItWasReceived) {
  make("GET", "/wasm");
  fake->add_field("X-Forwarded-For", "203.0.113.9");
  ASSERT_TRUE(serve());
  EXPECT_EQ(admin.client, "127.0.0.1");
  EXPECT_EQ(fake->exchange.request.fields.find("x-forwarded-for"), "203.0.113.9");
  EXPECT_FALSE(fake->exchange.request.fields.has(http::FieldId::kXRealIp));
  make("GET", "/");
  fake->add_field("X-Forwarded-For", "203.0.113.9");
  ASSERT_TRUE(serve());
  EXPECT_EQ(next.client, "203.0.113.9");
}

TEST_F(GatewayTest, AnEndpointHasOneSpelling) {
  EXPECT_EQ(answer("GET", "//wasm/x"), "200 admin");
  EXPECT_EQ(answer("GET", "/%77asm"), "200 admin");
  EXPECT_EQ(answer("GET", "/a/../wasm"), "200 admin");
  EXPECT_EQ(answer("GET", "/WASM"), "200 upstream");
  EXPECT_EQ(answer("GET", "/wasm%2Fx"), "200 upstream");
}

TEST_F(GatewayTest, WithoutEndpointsEverythingGoesOn) {
  endpoints.clear();
  EXPECT_EQ(answer("GET", "/healthz"), "200 upstream");
}

TEST_F(GatewayTest, RefusesPathsThatHaveNoNormalForm) {
  for (std::string_view path : {"/a\\b", "/a%00b", "/%zz", "/a%0d%0aSet-Cookie:x", "relative"}) {
    EXPECT_THAT(answer("GET", path), HasSubstr("400 ")) << path;
  }
  EXPECT_EQ(next.served, 0);
}

TEST_F(GatewayTest, DoesNotServeConnectAndTrace) {
  make("CONNECT", "");
  ASSERT_TRUE(serve());
  EXPECT_EQ(sent().status, 501);
  EXPECT_EQ(fake->exchange.target, "127.0.0.1:3000");
  make("TRACE", "/");
  ASSERT_TRUE(serve());
  EXPECT_EQ(sent().status, 405);
  EXPECT_THAT(sent().field("allow"), HasSubstr("GET, HEAD, POST"));
  EXPECT_EQ(next.served, 0);
}

TEST_F(GatewayTest, AnswersOptionsAboutTheServer) {
  make("OPTIONS", "*");
  ASSERT_TRUE(serve());
  EXPECT_EQ(sent().status, 204);
  EXPECT_THAT(sent().field("allow"), HasSubstr("OPTIONS"));
  EXPECT_THAT(answer("GET", "*"), HasSubstr("400 "));
  EXPECT_EQ(answer("OPTIONS", "/x"), "200 upstream");
}

TEST_F(GatewayTest, AnswersErrorsWithoutTheirCause) {
  next.error = Error(ErrorKind::kUpstream, "no upstream could be reached", "127.0.0.1:1: Connection refused");
  EXPECT_THAT(answer("GET", "/"), HasSubstr("502 "));
  EXPECT_THAT(sent().body, HasSubstr("no upstream could be reached"));
  EXPECT_EQ(sent().body.find("refused"), std::string::npos);
  EXPECT_EQ(fake->exchange.record.error, "no upstream could be reached");
}

TEST_F(GatewayTest, MapsKindsToStatuses) {
  const std::pair<ErrorKind, int> cases[] = {{ErrorKind::kInvalid, 400},  {ErrorKind::kTooLarge, 413},
                                             {ErrorKind::kTimedOut, 504}, {ErrorKind::kOverloaded, 503},
                                             {ErrorKind::kUpstream, 502}, {ErrorKind::kUnsupported, 501}};
  for (auto [kind, status] : cases) {
    next.error = Error(kind, "x");
    answer("GET", "/");
    EXPECT_EQ(sent().status, status);
  }
}

TEST_F(GatewayTest, AnswersNobodyWhoLeft) {
  next.error = Error(ErrorKind::kDisconnected, "the client left");
  make("GET", "/");
  EXPECT_FALSE(serve());
  EXPECT_EQ(sent().status, 0);
  EXPECT_TRUE(sent().aborted);
  EXPECT_THAT(notes.text, HasSubstr("ended 0 the client left"));
}

TEST_F(GatewayTest, AbortsWhatHasBegun) {
  next.break_after = Error(ErrorKind::kUpstream, "broke off");
  make("GET", "/");
  EXPECT_FALSE(serve());
  EXPECT_EQ(sent().status, 200);
  EXPECT_TRUE(sent().aborted);
}

TEST_F(GatewayTest, TellsTheObserver) {
  answer("GET", "/");
  EXPECT_EQ(notes.text, "began with id; ended 200 ");
  EXPECT_EQ(notes.took, Nanoseconds(0));
  notes.text.clear();
  answer("GET", "/%00");
  EXPECT_THAT(notes.text, HasSubstr("began with id; ended 400 the path"));
}

TEST_F(GatewayTest, AnIdOfTheClientReachesTheAnswer) {
  make("GET", "/%00");
  fake->add_field("X-Request-Id", "caller-1");
  (void)serve();
  EXPECT_THAT(sent().body, HasSubstr("\"request_id\":\"caller-1\""));
}

}  // namespace
}  // namespace sandgate::gateway
