// SPDX-License-Identifier: Apache-2.0
#include "admin/admin_access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "admin/guard.h"
#include "tests/support/fake_exchange.h"

namespace sandgate::admin {
namespace {

using testing::HasSubstr;

const AdminAccess kLoopback{AdminRule::kLoopback, {}};
const AdminAccess kToken{AdminRule::kToken, "s3cret-token"};
const AdminAccess kOff{AdminRule::kOff, {}};

int status_for(const test::FakeExchange& fake, const AdminAccess& access) {
  std::optional<Problem> refusal = refuse_admin(fake.exchange, access);
  return refusal ? refusal->status : 200;
}

TEST(LoopbackAuthority, IsLocalhostOrALoopbackAddress) {
  for (const char* authority : {"localhost", "LocalHost", "localhost:3000", "127.0.0.1", "127.0.0.1:3000",
                                "127.255.255.254", "127.1.2.3:1", "[::1]", "[::1]:3000", "localhost:65535"}) {
    EXPECT_TRUE(is_loopback_authority(authority)) << authority;
  }
}

TEST(LoopbackAuthority, IsNothingElse) {
  for (const char* authority : {"",
                                ":",
                                ":3000",
                                "example.com",
                                "localhost.example.com",
                                "localhost.",
                                "127.0.0.1.example.com",
                                "127.0.0.1.",
                                "127.0.0",
                                "127.0.0.256",
                                "127.0.0.01",
                                "127.0.0.0x1",
                                "127.1",
                                "0177.0.0.1",
                                "2130706433",
                                "128.0.0.1",
                                "10.0.0.1",
                                "0.0.0.0",
                                "::1",
                                "[::]",
                                "[::2]",
                                "[::1",
                                "[::ffff:127.0.0.1]",
                                "localhost:",
                                "localhost:x",
                                "localhost:123456",
                                "localhost:80:80",
                                "user@localhost",
                                "localhost ",
                                "127.0.0.1,example.com",
                                "[::1]x:80",
                                "127..0.1",
                                "127.0.0.1000"}) {
    EXPECT_FALSE(is_loopback_authority(authority)) << authority;
  }
}

TEST(AdminAccess, IsOpenToAPlainLocalClient) {
  test::FakeExchange fake("POST", "/wasm");
  EXPECT_EQ(status_for(fake, kLoopback), 200);
  fake.add_field("User-Agent", "curl/8.0").add_field("Content-Type", "application/json").add_field("Accept", "*/*");
  EXPECT_EQ(status_for(fake, kLoopback), 200);
}

TEST(AdminAccess, IsClosedToFieldsOfBrowsersAndProxies) {
  const std::pair<const char*, const char*> fields[] = {
      {"Origin", "http://127.0.0.1:3000"},
      {"Origin", "null"},
      {"Sec-Fetch-Site", "cross-site"},
      {"Sec-Fetch-Site", "none"},
      {"Forwarded", "for=1.2.3.4"},
      {"X-Forwarded-For", "127.0.0.1"},
      {"X-Forwarded-Host", "localhost"},
      {"X-Forwarded-Proto", "http"},
      {"X-Forwarded-Port", "80"},
      {"X-Forwarded-Server", "x"},
      {"X-Real-IP", "127.0.0.1"},
      {"Via", "1.1 proxy"},
      {"x-FORWARDED-for", ""},
  };
  for (const auto& [name, value] : fields) {
    test::FakeExchange fake("POST", "/wasm");
    fake.add_field(name, value);
    EXPECT_EQ(status_for(fake, kLoopback), 403) << name;
  }
}

TEST(AdminAccess, IsClosedToHostsThatDoNotNameLoopback) {
  test::FakeExchange rebound("POST", "/wasm");
  rebound.exchange.request.authority = "evil.example:3000";
  EXPECT_EQ(status_for(rebound, kLoopback), 403);

  test::FakeExchange absolute("POST", "/wasm");
  absolute.exchange.request.authority = "localhost:3000";
  absolute.exchange.request.fields.set("Host", "evil.example");
  EXPECT_EQ(status_for(absolute, kLoopback), 403);

  test::FakeExchange none("POST", "/wasm");
  none.exchange.request.authority = "";
  none.exchange.request.fields.clear();
  EXPECT_EQ(status_for(none, kLoopback), 403);
}

TEST(AdminAccess, IsClosedToOtherMachines) {
  test::FakeExchange remote("POST", "/wasm");
  remote.exchange.peer = {.address = "192.0.2.1", .port = 1, .loopback = false};
  EXPECT_EQ(status_for(remote, kLoopback), 403);

  test::FakeExchange routed("POST", "/wasm");
  routed.exchange.local = {.address = "192.0.2.2", .port = 3000, .loopback = false};
  EXPECT_EQ(status_for(routed, kLoopback), 403);
}

TEST(AdminAccess, IsClosedToHttp10WhichProxiesSpeakUnasked) {
  test::FakeExchange fake("POST", "/wasm");
  fake.exchange.request.minor_version = 0;
  EXPECT_EQ(status_for(fake, kLoopback), 403);
}

TEST(AdminAccess, SaysWhatWouldOpenIt) {
  test::FakeExchange fake;
  fake.exchange.peer.loopback = false;
  EXPECT_THAT(std::string(refuse_admin(fake.exchange, kLoopback)->detail), HasSubstr("--admin-token"));
  EXPECT_THAT(std::string(refuse_admin(fake.exchange, kOff)->detail), HasSubstr("--wasm-admin=loopback"));
  EXPECT_THAT(std::string(refuse_metrics(fake.exchange)->detail), HasSubstr("--metrics-listen"));
}

TEST(AdminAccess, TakesTheTokenFromAnywhere) {
  test::FakeExchange fake("POST", "/wasm");
  fake.exchange.peer.loopback = false;
  fake.exchange.request.authority = "gateway.example";
  fake.add_field("X-Forwarded-For", "192.0.2.1").add_field("Authorization", "Bearer s3cret-token");
  EXPECT_EQ(status_for(fake, kToken), 200);
}

TEST(AdminAccess, TakesTheSchemeInAnyCase) {
  for (const char* value : {"bearer s3cret-token", "BEARER s3cret-token", "Bearer  s3cret-token"}) {
    test::FakeExchange fake;
    fake.add_field("authorization", value);
    EXPECT_EQ(status_for(fake, kToken), 200) << value;
  }
}

TEST(AdminAccess, RefusesWhoeverLacksTheTokenEvenOnLoopback) {
  for (const char* value :
       {"", "Bearer", "Bearer ", "Bearer s3cret-toke", "Bearer s3cret-token2", "Bearer S3CRET-TOKEN",
        "Basic s3cret-token", "s3cret-token", "Bearer s3cret-token, Bearer x", "Bearers3cret-token"}) {
    test::FakeExchange fake;
    fake.add_field("Authorization", value);
    std::optional<Problem> refusal = refuse_admin(fake.exchange, kToken);
    ASSERT_TRUE(refusal) << value;
    EXPECT_EQ(refusal->status, 401);
    EXPECT_EQ(refusal->authenticate, "Bearer");
  }
  test::FakeExchange none;
  EXPECT_EQ(status_for(none, kToken), 401);
}

TEST(AdminAccess, RefusesTwoAuthorizations) {
  test::FakeExchange fake;
  fake.add_field("Authorization", "Bearer s3cret-token").add_field("Authorization", "Bearer s3cret-token");
  EXPECT_EQ(status_for(fake, kToken), 401);
}

TEST(AdminAccess, NeverMatchesAnEmptyToken) {
  test::FakeExchange fake;
  fake.add_field("Authorization", "Bearer ");
  EXPECT_EQ(status_for(fake, {AdminRule::kToken, ""}), 401);
}

TEST(AdminAccess, WithoutARuleIsClosedToEveryone) {
  test::FakeExchange fake;
  EXPECT_EQ(status_for(fake, kOff), 403);
  EXPECT_EQ(status_for(fake, AdminAccess()), 403);
}

TEST(AdminAccess, IsChosenFromTheSettings) {
  struct Case {
    AdminSettings settings;
    AdminRule rule;
  };
  const Case cases[] = {
      {{.token = "", .listens_beyond_loopback = false, .loopback_wanted = false}, AdminRule::kLoopback},
      {{.token = "", .listens_beyond_loopback = false, .loopback_wanted = true}, AdminRule::kLoopback},
      {{.token = "", .listens_beyond_loopback = true, .loopback_wanted = false}, AdminRule::kOff},
      {{.token = "", .listens_beyond_loopback = true, .loopback_wanted = true}, AdminRule::kLoopback},
      {{.token = "t", .listens_beyond_loopback = false, .loopback_wanted = false}, AdminRule::kToken},
      {{.token = "t", .listens_beyond_loopback = true, .loopback_wanted = true}, AdminRule::kToken},
      {{}, AdminRule::kOff},
  };
  for (const Case& c : cases) EXPECT_EQ(choose_admin_access(c.settings).rule, c.rule);
  EXPECT_EQ(choose_admin_access({.token = "t"}).token, "t");
}

TEST(MetricsAccess, FollowsTheLoopbackRule) {
  test::FakeExchange local;
  EXPECT_FALSE(refuse_metrics(local.exchange));
  test::FakeExchange remote;
  remote.exchange.peer.loopback = false;
  EXPECT_EQ(refuse_metrics(remote.exchange)->status, 403);
  test::FakeExchange proxied;
  proxied.add_field("X-Forwarded-For", "192.0.2.1");
  EXPECT_EQ(refuse_metrics(proxied.exchange)->status, 403);
}

class Teapot final : public Handler {
 public:
  Task<Status> serve(Exchange& exchange) const override {
    return respond(exchange, 418, "text/plain", "short and stout");
  }
};

TEST(Guards, AnswerOrHandOn) {
  Teapot teapot;
  AdminGuard admin(kToken, teapot);
  MetricsGuard metrics(teapot);
  test::FakeExchange refused;
  EXPECT_TRUE(test::serve(admin, refused));
  EXPECT_EQ(refused.sent().status, 401);
  EXPECT_EQ(refused.sent().field("www-authenticate"), "Bearer");
  EXPECT_EQ(refused.sent().field("content-type"), "application/problem+json");
  test::FakeExchange allowed;
  allowed.add_field("Authorization", "Bearer s3cret-token");
  EXPECT_TRUE(test::serve(admin, allowed));
  EXPECT_EQ(allowed.sent().status, 418);
  test::FakeExchange scrape;
  EXPECT_TRUE(test::serve(metrics, scrape));
  EXPECT_EQ(scrape.sent().status, 418);
  test::FakeExchange proxied;
  proxied.add_field("Via", "1.1 x");
  EXPECT_TRUE(test::serve(metrics, proxied));
  EXPECT_EQ(proxied.sent().status, 403);
}

TEST(AdminAccess, AListenerOfItsOwnIsOpenWhereTheSystemGuardsIt) {
  EXPECT_EQ(choose_listener_access(AdminListener::kUnixSocket, "")->rule, AdminRule::kSocket);
  EXPECT_EQ(choose_listener_access(AdminListener::kLoopback, "")->rule, AdminRule::kLoopback);
  for (AdminListener listener : {AdminListener::kUnixSocket, AdminListener::kLoopback, AdminListener::kBeyond})
    EXPECT_EQ(choose_listener_access(listener, "secret")->rule, AdminRule::kToken);
  Result<AdminAccess> refused = choose_listener_access(AdminListener::kBeyond, "");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalid);
  EXPECT_NE(refused.error().detail.find("--admin-token"), std::string::npos);
}

}  // namespace
}  // namespace sandgate::admin
