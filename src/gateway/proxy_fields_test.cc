// SPDX-License-Identifier: Apache-2.0
#include "gateway/proxy_fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "gateway/testing/fake_upstream.h"
#include "http/hop_by_hop.h"
#include "tests/support/fake_exchange.h"

namespace sandgate::gateway {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

std::vector<std::string> lines(const http::Fields& fields) {
  std::vector<std::string> texts;
  for (const http::Field& field : fields) texts.push_back(std::string(field.name) + ": " + std::string(field.value));
  return texts;
}

std::vector<std::string> upstream_lines(test::FakeExchange& fake) {
  http::RequestHead head(fake.arena);
  make_upstream_request(fake.exchange, asks_to_upgrade(fake.exchange), head);
  return lines(head.fields);
}

// Names of all fields the gateway knows.
constexpr std::string_view kKnownNames[] = {"accept",
                                            "authorization",
                                            "connection",
                                            "content-length",
                                            "content-type",
                                            "cookie",
                                            "date",
                                            "expect",
                                            "forwarded",
                                            "host",
                                            "http2-settings",
                                            "keep-alive",
                                            "origin",
                                            "proxy-authenticate",
                                            "proxy-authentication-info",
                                            "proxy-authorization",
                                            "proxy-connection",
                                            "sec-fetch-site",
                                            "sec-websocket-accept",
                                            "sec-websocket-key",
                                            "server",
                                            "set-cookie",
                                            "te",
                                            "trailer",
                                            "transfer-encoding",
                                            "upgrade",
                                            "via",
                                            "x-forwarded-for",
                                            "x-forwarded-host",
                                            "x-forwarded-port",
                                            "x-forwarded-proto",
                                            "x-forwarded-server",
                                            "x-real-ip",
                                            "x-request-id",
                                            "x-anything"};

TEST(ProxyFields, ExactlyTheHopByHopAndFramingFieldsStayBehindInRequests) {
  for (std::string_view name : kKnownNames) {
    test::FakeExchange fake;
    fake.exchange.request.fields.clear();
    fake.add_field(name, "v");
    http::FieldId id = http::field_id(name);
    bool stays = http::is_hop_by_hop(id) || id == http::FieldId::kHost || id == http::FieldId::kContentLength ||
                 id == http::FieldId::kExpect;
    std::vector<std::string> sent = upstream_lines(fake);
    std::string line = std::string(name) + ": v";
    if (name == "via") line = "via: v, 1.1 sandgate";
    EXPECT_EQ(std::ranges::find(sent, line) == sent.end(), stays) << name;
  }
}

TEST(ProxyFields, ExactlyTheHopByHopFieldsAndTheRequestIdStayBehindInResponses) {
  for (std::string_view name : kKnownNames) {
    test::FakeExchange fake;
    http::ResponseHead head(fake.arena);
    head.fields.add(name, "v");
    make_client_response(fake.exchange, head);
    http::FieldId id = http::field_id(name);
    bool stays = http::is_hop_by_hop(id) || id == http::FieldId::kXRequestId;
    std::vector<std::string> sent = lines(head.fields);
    std::string line = std::string(name) + ": v";
    if (name == "via") line = "via: v, 1.1 sandgate";
    EXPECT_EQ(std::ranges::find(sent, line) == sent.end(), stays) << name;
    EXPECT_THAT(sent, Contains("x-request-id: 0123456789abcdef0123456789abcdef"));
  }
}

TEST(ProxyFields, ViaIsAppendedToAsOneList) {
  test::FakeExchange fake;
  fake.add_field("Via", "1.0 fred").add_field("x-between", "1").add_field("Via", "1.1 p.example.net");
  EXPECT_THAT(upstream_lines(fake), ElementsAre("via: 1.0 fred, 1.1 p.example.net, 1.1 sandgate", "x-between: 1"));
  test::FakeExchange old;
  old.exchange.request.minor_version = 0;
  EXPECT_THAT(upstream_lines(old), ElementsAre("via: 1.0 sandgate"));
}

TEST(ProxyFields, CountsItsOwnElementsOfVia) {
  test::FakeExchange fake;
  EXPECT_EQ(passes_so_far(fake.exchange.request.fields), 0);
  fake.add_field("Via", "1.1 sandgate, 1.1 other, 1.0 sandgate")
      .add_field("Via", "sandgate, 1.1 notsandgate, 1.1 sandgate");
  EXPECT_EQ(passes_so_far(fake.exchange.request.fields), 3);
}

TEST(ProxyFields, ViaOfAResponseNamesTheVersionOfTheUpstream) {
  test::FakeExchange fake;
  http::ResponseHead head(fake.arena);
  head.minor_version = 0;
  make_client_response(fake.exchange, head);
  EXPECT_THAT(lines(head.fields), Contains("via: 1.0 sandgate"));
}

TEST(ProxyFields, WhatConnectionNamesInAResponseStaysBehind) {
  test::FakeExchange fake;
  http::ResponseHead head(fake.arena);
  head.fields.add("Connection", "close, X-Hop");
  head.fields.add("X-Hop", "1");
  head.fields.add("X-End", "1");
  make_client_response(fake.exchange, head);
  EXPECT_THAT(lines(head.fields), Not(Contains("X-Hop: 1")));
  EXPECT_THAT(lines(head.fields), Contains("X-End: 1"));
}

TEST(ProxyFields, TheRequestItselfIsNotChanged) {
  test::FakeExchange fake("POST", "/a");
  fake.add_field("Connection", "keep-alive").add_field("Via", "1.1 a");
  std::vector<std::string> before = lines(fake.exchange.request.fields);
  upstream_lines(fake);
  EXPECT_EQ(lines(fake.exchange.request.fields), before);
}

TEST(ProxyFields, OnlyAPlainWebSocketHandshakeUpgrades) {
  auto handshake = [](test::FakeExchange& fake) {
    fake.add_field("Connection", "Upgrade").add_field("Upgrade", "websocket");
  };
  test::FakeExchange good;
  handshake(good);
  EXPECT_EQ(asks_to_upgrade(good.exchange), Upgrading::kWebSocket);
  EXPECT_THAT(upstream_lines(good), Contains("upgrade: websocket"));

  test::FakeExchange post("POST");
  handshake(post);
  EXPECT_EQ(asks_to_upgrade(post.exchange), Upgrading::kNo);
  test::FakeExchange old;
  handshake(old);
  old.exchange.request.minor_version = 0;
  EXPECT_EQ(asks_to_upgrade(old.exchange), Upgrading::kNo);
  test::FakeExchange body;
  handshake(body);
  body.set_body("x");
  EXPECT_EQ(asks_to_upgrade(body.exchange), Upgrading::kNo);
  test::FakeExchange h2c;
  h2c.add_field("Connection", "Upgrade, HTTP2-Settings")
      .add_field("Upgrade", "h2c")
      .add_field("HTTP2-Settings", "AAMAAABk");
  EXPECT_EQ(asks_to_upgrade(h2c.exchange), Upgrading::kNo);
  EXPECT_THAT(upstream_lines(h2c), ElementsAre("via: 1.1 sandgate"));
}

TEST(ProxyFields, AnUpgradeResponseKeepsUpgrade) {
  test::FakeExchange fake;
  http::ResponseHead head(fake.arena);
  head.status = 101;
  head.fields.add("Connection", "Upgrade");
  head.fields.add("Upgrade", "websocket");
  head.fields.add("Sec-WebSocket-Accept", "x");
  make_upgrade_response(fake.exchange, head);
  EXPECT_THAT(lines(head.fields), Contains("upgrade: websocket"));
  EXPECT_THAT(lines(head.fields), Contains("Sec-WebSocket-Accept: x"));
  EXPECT_EQ(head.fields.count(http::FieldId::kConnection), 0U);
}

}  // namespace
}  // namespace sandgate::gateway
