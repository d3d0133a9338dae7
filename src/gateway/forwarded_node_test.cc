// SPDX-License-Identifier: Apache-2.0
#include "gateway/forwarded_node.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace sandgate::gateway {
namespace {

using ::testing::ElementsAre;

std::string address_of(std::string_view text) {
  std::optional<ForwardedNode> node = parse_forwarded_node(text);
  return node ? std::string(node->text) : "none";
}

std::vector<std::string> parameters(std::string_view list) {
  std::array<std::string_view, 4> nodes;
  std::optional<std::size_t> count = forwarded_for_parameters(list, nodes);
  if (!count) return {"malformed"};
  return {nodes.begin(), nodes.begin() + static_cast<std::ptrdiff_t>(*count)};
}

TEST(ForwardedNode, TakesAddressesWithAndWithoutPorts) {
  EXPECT_EQ(address_of("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(address_of("192.0.2.1:4711"), "192.0.2.1");
  EXPECT_EQ(address_of("2001:db8::1"), "2001:db8::1");
  EXPECT_EQ(address_of("[2001:db8::1]"), "2001:db8::1");
  EXPECT_EQ(address_of("[2001:db8::1]:80"), "2001:db8::1");
}

TEST(ForwardedNode, RefusesEverythingElse) {
  for (std::string_view text :
       {"", "unknown", "_hidden", "example.com", "192.0.2.1:", "192.0.2.1:http", "192.0.2.1:123456", "[192.0.2.1]",
        "[2001:db8::1", "[2001:db8::1]80", "[2001:db8::1]:", "2001:db8::1]", "192.0.2.1 evil", "\"192.0.2.1\""}) {
    EXPECT_EQ(address_of(text), "none") << text;
  }
}

TEST(ForwardedParameters, AreReadInOrder) {
  EXPECT_THAT(parameters("for=192.0.2.1"), ElementsAre("192.0.2.1"));
  EXPECT_THAT(parameters("For=\"[2001:db8::1]:80\";proto=https, for=192.0.2.2;by=203.0.113.1"),
              ElementsAre("[2001:db8::1]:80", "192.0.2.2"));
  EXPECT_THAT(parameters("proto=http;for=unknown ; host=a, ,for=_x"), ElementsAre("unknown", "_x"));
  EXPECT_THAT(parameters("proto=http"), ElementsAre(""));
  EXPECT_THAT(parameters(""), ElementsAre());
  EXPECT_THAT(parameters("for=\"a\\\",b\", for=c"), ElementsAre("a\\\",b", "c"));
}

TEST(ForwardedParameters, KeepTheLastOnesWhenThereAreTooMany) {
  EXPECT_THAT(parameters("for=a,for=b,for=c,for=d,for=e,for=f"), ElementsAre("c", "d", "e", "f"));
}

TEST(ForwardedParameters, RefuseWhatBreaksTheGrammar) {
  for (std::string_view text : {"for", "for=", "=a", "for=a b", "for=\"a", "for=\"a\\\"", "for=a;for=b",
                                "for=2001:db8::1", "for =a", "for=\"a\"b", "for=a\"b\""}) {
    EXPECT_THAT(parameters(text), ElementsAre("malformed")) << text;
  }
}

}  // namespace
}  // namespace sandgate::gateway
