// SPDX-License-Identifier: Apache-2.0
#include "gateway/upstream_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sandgate::gateway {
namespace {

using ::testing::HasSubstr;

UpstreamOptions one_server() {
  UpstreamOptions options;
  options.servers.push_back({.host = "127.0.0.1", .port = 30000});
  return options;
}

std::string mistakes(const UpstreamOptions& options) {
  Status fine = check_upstream_options(options);
  return fine ? "" : fine.error().detail;
}

TEST(UpstreamOptions, OfOneServerAreEnough) { EXPECT_EQ(mistakes(one_server()), ""); }

TEST(UpstreamOptions, AreComparedWhole) {
  UpstreamOptions a = one_server();
  UpstreamOptions b = one_server();
  EXPECT_EQ(a, b);
  b.health_check.emplace();
  EXPECT_NE(a, b);
}

TEST(UpstreamOptions, NeedOneToSixtyFourServers) {
  UpstreamOptions options;
  EXPECT_THAT(mistakes(options), HasSubstr("at least one server"));
  for (std::uint16_t i = 1; i <= 65; ++i) options.servers.push_back({.host = "a", .port = i});
  EXPECT_THAT(mistakes(options), HasSubstr("at most 64 servers"));
}

TEST(UpstreamOptions, TellEveryMistakeAtOnce) {
  UpstreamOptions options = one_server();
  options.servers.push_back(options.servers[0]);
  options.servers[1].weight = 0;
  options.balance = Balance::kConsistentHash;
  options.hash_key = {HashKey::From::kCookie, ""};
  options.health_check.emplace();
  options.health_check->path = "health";
  options.health_check->status_max = 700;
  options.retries.attempts = 0;
  options.timeouts.connect = Milliseconds(0);
  std::string text = mistakes(options);
  EXPECT_THAT(text, HasSubstr("weight of 127.0.0.1:30000 must be 1 to 256"));
  EXPECT_THAT(text, HasSubstr("named twice"));
  EXPECT_THAT(text, HasSubstr("needs the name of it"));
  EXPECT_THAT(text, HasSubstr("begins with /"));
  EXPECT_THAT(text, HasSubstr("100 to 599"));
  EXPECT_THAT(text, HasSubstr("attempts"));
  EXPECT_THAT(text, HasSubstr("timeouts"));
}

TEST(ServerOptions, AnIpv6AuthorityHasBrackets) {
  EXPECT_EQ((ServerOptions{.host = "::1", .port = 81}.authority()), "[::1]:81");
}

}  // namespace
}  // namespace sandgate::gateway
