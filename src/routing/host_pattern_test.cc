// SPDX-License-Identifier: Apache-2.0
#include "routing/host_pattern.h"

#include <gtest/gtest.h>

namespace sandgate::routing {
namespace {

using Kind = HostPattern::Kind;

TEST(HostPattern, IsAHostOrWhatLiesBelowOneOrAny) {
  EXPECT_EQ(HostPattern::parse("API.example.com")->name(), "api.example.com");
  EXPECT_EQ(HostPattern::parse("api.example.com")->kind(), Kind::kExact);
  EXPECT_EQ(HostPattern::parse("*.Example.com")->name(), ".example.com");
  EXPECT_EQ(HostPattern::parse("*.example.com")->kind(), Kind::kBelow);
  EXPECT_EQ(HostPattern::parse("*")->kind(), Kind::kAny);
  EXPECT_EQ(HostPattern::parse("[::1]")->name(), "::1");
  EXPECT_EQ(HostPattern::parse("10.0.0.1")->name(), "10.0.0.1");
  EXPECT_EQ(HostPattern::parse("example.com.")->name(), "example.com");
}

TEST(HostPattern, SaysItselfAgain) {
  for (std::string_view text : {"*", "*.example.com", "example.com"}) EXPECT_EQ(HostPattern::parse(text)->text(), text);
}

TEST(HostPattern, RefusesWhatIsNoHost) {
  for (std::string_view text : {"", "a b", "*.", "**", "a.*.com", "*example.com", "http://a", "a/b", "*.[::1]"})
    EXPECT_FALSE(HostPattern::parse(text)) << text;
  EXPECT_NE(HostPattern::parse("a:80").error().detail.find("without a port"), std::string::npos);
}

TEST(HostPattern, HostsCompareWithoutCasePortAndLastDot) {
  std::string room;
  EXPECT_EQ(host_of("Example.COM:8080", room), "example.com");
  EXPECT_EQ(host_of("example.com.", room), "example.com");
  EXPECT_EQ(host_of("[::1]:80", room), "::1");
  EXPECT_EQ(host_of("not a host", room), "");
}

}  // namespace
}  // namespace sandgate::routing
