// SPDX-License-Identifier: Apache-2.0
#include "gateway/peer_ranges.h"

#include <gtest/gtest.h>

namespace sandgate::gateway {
namespace {

PeerRanges ranges(const std::vector<std::string>& values) {
  Result<PeerRanges> parsed = PeerRanges::parse(values);
  EXPECT_TRUE(parsed);
  return *parsed;
}

TEST(PeerRanges, AnEmptyListContainsNobody) {
  for (std::string_view host : {"127.0.0.1", "::1", "unix", ""}) EXPECT_FALSE(ranges({}).contains(host)) << host;
}

TEST(PeerRanges, ContainsAddressesAndUnixSockets) {
  PeerRanges some = ranges({"10.0.0.0/8", "unix", "2001:db8::/32"});
  for (std::string_view host : {"10.1.2.3", "2001:db8::7", "unix", "::ffff:10.0.0.1"})
    EXPECT_TRUE(some.contains(host)) << host;
  for (std::string_view host : {"11.0.0.1", "2001:db9::7", "unix2", "localhost"})
    EXPECT_FALSE(some.contains(host)) << host;
  EXPECT_FALSE(ranges({"10.0.0.0/8"}).contains("unix"));
}

TEST(PeerRanges, RefusesWhatIsNoAddress) {
  EXPECT_FALSE(PeerRanges::parse(std::vector<std::string>{"unix", "10.0.0.0/33"}));
  EXPECT_FALSE(PeerRanges::parse(std::vector<std::string>{"proxy.example.com"}));
}

}  // namespace
}  // namespace sandgate::gateway
