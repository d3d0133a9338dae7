// SPDX-License-Identifier: Apache-2.0
#include "gateway/forwarding_fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/support/fake_exchange.h"

namespace sandgate::gateway {
namespace {

using ::testing::ElementsAre;
using Lines = std::vector<std::pair<std::string, std::string>>;

ForwardingFields trusting(const std::vector<std::string>& ranges) {
  return ForwardingFields(std::move(*parse_cidr_list(ranges)));
}

// A request from `peer` with these lines.
struct Received {
  Received(std::string_view peer, const Lines& lines) {
    fake.exchange.peer = {
        .address = fake.arena.copy(peer), .port = 1234, .loopback = peer.starts_with("127.") || peer == "::1"};
    fake.exchange.request.authority = "api.example:8080";
    fake.exchange.client = {};
    for (const auto& [name, value] : lines) fake.add_field(name, value);
  }
  Received& apply(const ForwardingFields& rules) {
    rules.apply(fake.exchange);
    return *this;
  }
  std::vector<std::string> values(std::string_view name) const {
    std::vector<std::string> found;
    for (const http::Field& field : fake.exchange.request.fields) {
      if (equals_ignoring_case(field.name, name)) found.emplace_back(field.value);
    }
    return found;
  }
  std::string client() const { return std::string(fake.exchange.client); }
  test::FakeExchange fake;
};

TEST(ForwardingFields, AreSetForAPlainClient) {
  for (std::string_view peer : {"203.0.113.9", "127.0.0.1"}) {
    Received request(peer, {});
    request.apply(ForwardingFields());
    EXPECT_EQ(request.client(), peer);
    EXPECT_THAT(request.values("x-forwarded-for"), ElementsAre(peer));
    EXPECT_THAT(request.values("x-real-ip"), ElementsAre(peer));
    EXPECT_THAT(request.values("x-forwarded-proto"), ElementsAre("http"));
    EXPECT_THAT(request.values("x-forwarded-host"), ElementsAre("api.example:8080"));
  }
}

TEST(ForwardingFields, OfAnUntrustedPeerAreReplaced) {
  Received request("203.0.113.9", {{"X-Forwarded-For", "10.0.0.1"},
                                   {"x-forwarded-for", "10.0.0.2"},
                                   {"Forwarded", "for=10.0.0.1"},
                                   {"X-Forwarded-Host", "admin.internal"},
                                   {"X-Forwarded-Proto", "https"},
                                   {"X-Forwarded-Port", "443"},
                                   {"X-Forwarded-Prefix", "/admin"},
                                   {"X-Real-IP", "127.0.0.1"},
                                   {"Accept", "*/*"}});
  request.apply(ForwardingFields());
  EXPECT_EQ(request.client(), "203.0.113.9");
  EXPECT_THAT(request.values("x-forwarded-for"), ElementsAre("203.0.113.9"));
  EXPECT_THAT(request.values("x-real-ip"), ElementsAre("203.0.113.9"));
  EXPECT_THAT(request.values("x-forwarded-proto"), ElementsAre("http"));
  EXPECT_THAT(request.values("x-forwarded-host"), ElementsAre("api.example:8080"));
  EXPECT_THAT(request.values("x-forwarded-port"), ElementsAre());
  EXPECT_THAT(request.values("x-forwarded-prefix"), ElementsAre());
  EXPECT_THAT(request.values("forwarded"), ElementsAre());
  EXPECT_THAT(request.values("accept"), ElementsAre("*/*"));
}

TEST(ForwardingFields, AreNotForgedWithUnderscores) {
  for (std::string_view peer : {"203.0.113.9", "127.0.0.1"}) {
    Received request(peer, {{"X_Forwarded_For", "10.0.0.1"},
                            {"x-forwarded_for", "10.0.0.1"},
                            {"X_Real_IP", "10.0.0.1"},
                            {"X_Forwarded_Whatever", "1"},
                            {"X_Other", "stays"},
                            {"_", "stays"}});
    request.apply(ForwardingFields());
    for (std::string_view name : {"x_forwarded_for", "x-forwarded_for", "x_real_ip", "x_forwarded_whatever"})
      EXPECT_THAT(request.values(name), ElementsAre()) << name;
    EXPECT_THAT(request.values("x_other"), ElementsAre("stays"));
    EXPECT_THAT(request.values("_"), ElementsAre("stays"));
  }
}

TEST(ForwardingFields, OfATrustedProxyAreKeptAndExtended) {
  Received request("127.0.0.1", {{"X-Forwarded-For", "203.0.113.9"},
                                 {"X-Forwarded-Proto", "https"},
                                 {"X-Forwarded-Host", "shop.example"},
                                 {"X-Forwarded-Port", "443"},
                                 {"X-Forwarded-Prefix", "/shop"},
                                 {"X-Real-IP", "203.0.113.9"}});
  request.apply(ForwardingFields());
  EXPECT_EQ(request.client(), "203.0.113.9");
  EXPECT_THAT(request.values("x-forwarded-for"), ElementsAre("203.0.113.9, 127.0.0.1"));
  EXPECT_THAT(request.values("x-forwarded-proto"), ElementsAre("https"));
  EXPECT_THAT(request.values("x-forwarded-host"), ElementsAre("shop.example"));
  EXPECT_THAT(request.values("x-forwarded-port"), ElementsAre("443"));
  EXPECT_THAT(request.values("x-forwarded-prefix"), ElementsAre("/shop"));
  EXPECT_THAT(request.values("x-real-ip"), ElementsAre("203.0.113.9"));
}

TEST(ForwardingFields, WhatATrustedProxyLeftOutIsSet) {
  Received request("127.0.0.1", {{"X-Forwarded-For", "203.0.113.9"}});
  request.apply(ForwardingFields());
  EXPECT_THAT(request.values("x-real-ip"), ElementsAre("203.0.113.9"));
  EXPECT_THAT(request.values("x-forwarded-proto"), ElementsAre("http"));
  EXPECT_THAT(request.values("x-forwarded-host"), ElementsAre("api.example:8080"));
}

TEST(ForwardingFields, TheWalkPassesOverTrustedProxiesOnly) {
  ForwardingFields rules = trusting({"10.0.0.0/8", "192.0.2.7"});
  Received request("10.0.0.1",
                   {{"X-Forwarded-For", "127.0.0.1, 203.0.113.9, 192.0.2.7"}, {"X-Forwarded-For", "10.2.3.4:5555"}});
  request.apply(rules);
  EXPECT_EQ(request.client(), "203.0.113.9");
  EXPECT_THAT(request.values("x-forwarded-for"),
              ElementsAre("127.0.0.1, 203.0.113.9, 192.0.2.7, 10.2.3.4:5555, 10.0.0.1"));
}

// What a client writes itself stands left of what the proxies append.
TEST(ForwardingFields, NothingThatAClientWritesMakesItAnother) {
  const ForwardingFields rules = trusting({"10.0.0.0/8", "2001:db8:1::/48"});
  for (const std::string& claimed :
       {std::string("192.0.2.1"), std::string("10.0.0.5"), std::string("127.0.0.1"), std::string("unknown"),
        std::string("10.0.0.5, 10.0.0.6"), std::string("::ffff:10.0.0.5"), std::string("2001:db8:1::9"),
        std::string("\"10.0.0.5\""), std::string(",,,"), std::string(2000, ',')}) {
    for (const std::string& seen :
         {std::string("203.0.113.9"), std::string("[2001:db8:2::9]:4711"), std::string("::ffff:203.0.113.9")}) {
      Received request("10.0.0.1", {{"X-Forwarded-For", claimed}, {"X-Forwarded-For", seen + ",\t10.0.0.7"}});
      request.apply(rules);
      EXPECT_THAT(request.client(), ::testing::AnyOf("203.0.113.9", "2001:db8:2::9", "::ffff:203.0.113.9"))
          << claimed << " " << seen;
    }
    Received direct("203.0.113.9",
                    {{"X-Forwarded-For", claimed}, {"Forwarded", "for=10.0.0.5"}, {"X-Real-IP", "10.0.0.5"}});
    direct.apply(rules);
    EXPECT_EQ(direct.client(), "203.0.113.9") << claimed;
    EXPECT_THAT(direct.values("x-real-ip"), ElementsAre("203.0.113.9")) << claimed;
  }
}

TEST(ForwardingFields, ForwardedIsWalkedFromTheRightOverTrustedProxiesOnly) {
  for (std::string_view claimed :
       {"for=10.0.0.5", "for=127.0.0.1", "for=unknown", "for=\"[2001:db8:1::9]\"", "proto=https;for=192.0.2.1"}) {
    Received request("10.0.0.1",
                     {{"Forwarded", std::string(claimed)}, {"Forwarded", "for=203.0.113.9, for=\"10.0.0.7:1\""}});
    request.apply(trusting({"10.0.0.0/8", "2001:db8:1::/48"}));
    EXPECT_EQ(request.client(), "203.0.113.9") << claimed;
    EXPECT_THAT(request.values("x-forwarded-for"), ElementsAre("203.0.113.9, 10.0.0.1")) << claimed;
  }
}

TEST(ForwardingFields, APeerWhoseAddressIsLoopbackButWhoIsNotOnThisMachineIsNotTrusted) {
  Received request("127.0.0.1", {{"X-Forwarded-For", "192.0.2.1"}});
  request.fake.exchange.peer.loopback = false;
  request.apply(ForwardingFields());
  EXPECT_EQ(request.client(), "127.0.0.1");
  EXPECT_THAT(request.values("x-forwarded-for"), ElementsAre("127.0.0.1"));
}

TEST(ForwardingFields, IfAllAreTrustedTheLeftmostIsTheClient) {
  Received request("10.0.0.1", {{"X-Forwarded-For", "10.0.0.9, 10.0.0.8"}});
  request.apply(trusting({"10.0.0.0/8"}));
  EXPECT_EQ(request.client(), "10.0.0.9");
}

TEST(ForwardingFields, LoopbackIsNotTrustedWhenOthersAre) {
  Received request("127.0.0.1", {{"X-Forwarded-For", "203.0.113.9"}});
  request.apply(trusting({"10.0.0.0/8"}));
  EXPECT_EQ(request.client(), "127.0.0.1");
  EXPECT_THAT(request.values("x-forwarded-for"), ElementsAre("127.0.0.1"));
}

struct Malformed {
  std::string received;
  std::string client;
  std::string sent;
};

TEST(ForwardingFields, AMalformedElementEndsTheWalkAndIsCutOff) {
  const Malformed cases[] = {
      {"nonsense", "127.0.0.1", "127.0.0.1"},
      {"203.0.113.9, nonsense", "127.0.0.1", "127.0.0.1"},
      {"203.0.113.9, nonsense, ::1", "::1", "::1, 127.0.0.1"},
      {"203.0.113.9, <script>, 127.0.0.2", "127.0.0.2", "127.0.0.2, 127.0.0.1"},
      {"unknown, 127.0.0.2", "127.0.0.2", "127.0.0.2, 127.0.0.1"},
      {"192.0.2.1:99999999, 127.0.0.2", "127.0.0.2", "127.0.0.2, 127.0.0.1"},
      {"", "127.0.0.1", "127.0.0.1"},
      {", ,", "127.0.0.1", "127.0.0.1"},
      {",127.0.0.3 ,, ", "127.0.0.3", "127.0.0.3 ,,, 127.0.0.1"},
      {"198.51.100.1 198.51.100.2", "127.0.0.1", "127.0.0.1"},
      {"[2001:db8::5]:80", "2001:db8::5", "[2001:db8::5]:80, 127.0.0.1"},
      {"evil, 203.0.113.9", "203.0.113.9", "evil, 203.0.113.9, 127.0.0.1"},
  };
  for (const Malformed& one : cases) {
    Received request("127.0.0.1", {{"X-Forwarded-For", one.received}});
    request.apply(ForwardingFields());
    EXPECT_EQ(request.client(), one.client) << one.received;
    EXPECT_THAT(request.values("x-forwarded-for"), ElementsAre(one.sent)) << one.received;
    EXPECT_THAT(request.values("x-real-ip"), ElementsAre(one.client)) << one.received;
  }
}

TEST(ForwardingFields, TheWalkIsBounded) {
  std::string chain = "203.0.113.9";
  for (std::size_t i = 0; i < ForwardingFields::kHopsMax; ++i) chain += ", 127.0.0.5";
  Received request("127.0.0.1", {{"X-Forwarded-For", chain}});
  request.apply(ForwardingFields());
  EXPECT_EQ(request.client(), "127.0.0.5");
}

TEST(ForwardingFields, ForwardedIsWalkedWhenThereIsNoXForwardedFor) {
  Received request("127.0.0.1", {{"Forwarded", "for=198.51.100.1, for=\"[2001:db8::9]:4711\";proto=https"},
                                 {"Forwarded", "for=127.0.0.3"}});
  request.apply(ForwardingFields());
  EXPECT_EQ(request.client(), "2001:db8::9");
  EXPECT_THAT(request.values("x-forwarded-for"), ElementsAre("2001:db8::9, 127.0.0.1"));
  EXPECT_EQ(request.values("forwarded").size(), 2U);
}

TEST(ForwardingFields, OpaqueNodesEndTheWalkOfForwarded) {
  for (std::string_view node : {"unknown", "_secret", "\"_secret:80\"", "example"}) {
    Received request("127.0.0.1", {{"Forwarded", "for=203.0.113.9, for=" + std::string(node) + ", for=127.0.0.3"}});
    request.apply(ForwardingFields());
    EXPECT_EQ(request.client(), "127.0.0.3") << node;
  }
}

TEST(ForwardingFields, AForwardedThatCannotBeParsedIsRemoved) {
  Received request("127.0.0.1", {{"Forwarded", "for=203.0.113.9;for=198.51.100.7"}});
  request.apply(ForwardingFields());
  EXPECT_EQ(request.client(), "127.0.0.1");
  EXPECT_THAT(request.values("forwarded"), ElementsAre());
  EXPECT_THAT(request.values("x-forwarded-for"), ElementsAre("127.0.0.1"));
}

TEST(ForwardingFields, XForwardedForCountsWhenThereAreBoth) {
  Received request("127.0.0.1", {{"Forwarded", "for=198.51.100.1"}, {"X-Forwarded-For", "203.0.113.9"}});
  request.apply(ForwardingFields());
  EXPECT_EQ(request.client(), "203.0.113.9");
  EXPECT_THAT(request.values("forwarded"), ElementsAre("for=198.51.100.1"));
}

TEST(ForwardingFields, InvalidOrRepeatedValuesOfATrustedProxyAreReplaced) {
  Received request("127.0.0.1", {{"X-Forwarded-For", "203.0.113.9"},
                                 {"X-Forwarded-Proto", "https"},
                                 {"X-Forwarded-Proto", "http"},
                                 {"X-Forwarded-Host", "a b"},
                                 {"X-Forwarded-Port", "44x"},
                                 {"X-Real-IP", "nobody"}});
  request.apply(ForwardingFields());
  EXPECT_THAT(request.values("x-forwarded-proto"), ElementsAre("http"));
  EXPECT_THAT(request.values("x-forwarded-host"), ElementsAre("api.example:8080"));
  EXPECT_THAT(request.values("x-forwarded-port"), ElementsAre());
  EXPECT_THAT(request.values("x-real-ip"), ElementsAre("203.0.113.9"));
}

TEST(ForwardingFields, APeerOnAUnixSocketHasNoAddress) {
  Received request("unix", {});
  request.fake.exchange.peer.loopback = true;
  request.apply(ForwardingFields());
  EXPECT_EQ(request.client(), "unix");
  EXPECT_THAT(request.values("x-forwarded-for"), ElementsAre());
  EXPECT_THAT(request.values("x-real-ip"), ElementsAre());
  Received behind("unix", {{"X-Forwarded-For", "203.0.113.9"}});
  behind.fake.exchange.peer.loopback = true;
  behind.apply(ForwardingFields());
  EXPECT_EQ(behind.client(), "203.0.113.9");
  EXPECT_THAT(behind.values("x-forwarded-for"), ElementsAre("203.0.113.9"));
}

TEST(ForwardingFields, HostIsLeftOutWhenTheRequestHasNone) {
  Received request("203.0.113.9", {});
  request.fake.exchange.request.authority = {};
  request.apply(ForwardingFields());
  EXPECT_THAT(request.values("x-forwarded-host"), ElementsAre());
}

TEST(ForwardingFields, FieldsThatConnectionNamesAreGoneBeforeModulesAddTheirs) {
  Received request("203.0.113.9",
                   {{"Connection", "close, X-User, X-Forwarded-For"}, {"X-User", "eve"}, {"X-Other", "stays"}});
  request.apply(ForwardingFields());
  EXPECT_THAT(request.values("x-user"), ElementsAre());
  EXPECT_THAT(request.values("connection"), ElementsAre());
  EXPECT_THAT(request.values("x-other"), ElementsAre("stays"));
  EXPECT_THAT(request.values("x-forwarded-for"), ElementsAre("203.0.113.9"));
}

TEST(ForwardingFields, AWebSocketHandshakeStaysOne) {
  Received request("203.0.113.9",
                   {{"Connection", "keep-alive, Upgrade, X-User"}, {"Upgrade", "WebSocket"}, {"X-User", "eve"}});
  request.apply(ForwardingFields());
  EXPECT_THAT(request.values("connection"), ElementsAre("upgrade"));
  EXPECT_THAT(request.values("upgrade"), ElementsAre("websocket"));
  EXPECT_THAT(request.values("x-user"), ElementsAre());
}

}  // namespace
}  // namespace sandgate::gateway
