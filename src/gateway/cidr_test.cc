// SPDX-License-Identifier: Apache-2.0
#include "gateway/cidr.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sandgate::gateway {
namespace {

using ::testing::HasSubstr;

bool in(std::string_view range, std::string_view address) {
  Result<Cidr> cidr = Cidr::parse(range);
  EXPECT_TRUE(cidr.has_value()) << range;
  std::optional<IpAddress> ip = parse_ip(address);
  EXPECT_TRUE(ip.has_value()) << address;
  return cidr && ip && cidr->contains(*ip);
}

TEST(ParseIp, TakesLiteralsOnly) {
  EXPECT_TRUE(parse_ip("192.0.2.1"));
  EXPECT_TRUE(parse_ip("::"));
  EXPECT_TRUE(parse_ip("2001:db8::1"));
  EXPECT_TRUE(parse_ip("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"));
  for (std::string_view text : {"", "localhost", "192.0.2", "192.0.2.256", "192.0.2.01", "192.0.2.1 ", " 192.0.2.1",
                                "192.0.2.1:80", "[::1]", "fe80::1%eth0", "::1/128", "1::2::3", "0x7f.0.0.1",
                                "2130706433", "2001:db8::1:2001:db8::1:2001:db8::1:2001:db8::1"}) {
    EXPECT_FALSE(parse_ip(text)) << text;
  }
  EXPECT_FALSE(parse_ip(std::string_view("1.2.3.4\0", 8)));
}

TEST(ParseIp, MappedIpv4IsIpv4) {
  EXPECT_EQ(parse_ip("::ffff:192.0.2.1"), parse_ip("192.0.2.1"));
  EXPECT_NE(parse_ip("::192.0.2.1"), parse_ip("192.0.2.1"));
  EXPECT_TRUE(parse_ip("192.0.2.1")->is_ipv4());
  EXPECT_FALSE(parse_ip("::1")->is_ipv4());
}

TEST(Cidr, ContainsWhatIsInTheRange) {
  EXPECT_TRUE(in("10.0.0.0/8", "10.255.1.2"));
  EXPECT_FALSE(in("10.0.0.0/8", "11.0.0.0"));
  EXPECT_TRUE(in("192.0.2.128/25", "192.0.2.200"));
  EXPECT_FALSE(in("192.0.2.128/25", "192.0.2.127"));
  EXPECT_TRUE(in("192.0.2.1", "192.0.2.1"));
  EXPECT_FALSE(in("192.0.2.1", "192.0.2.2"));
  EXPECT_TRUE(in("fd00::/8", "fdff::1"));
  EXPECT_FALSE(in("fd00::/8", "fc00::1"));
  EXPECT_TRUE(in("2001:db8::/65", "2001:db8::7fff:0:0:0"));
  EXPECT_FALSE(in("2001:db8::/65", "2001:db8::8000:0:0:0"));
  EXPECT_TRUE(in("::1", "::1"));
  EXPECT_FALSE(in("::1", "127.0.0.1"));
}

TEST(Cidr, WholeFamiliesStayApart) {
  EXPECT_TRUE(in("0.0.0.0/0", "203.0.113.9"));
  EXPECT_FALSE(in("0.0.0.0/0", "2001:db8::1"));
  EXPECT_TRUE(in("::/0", "2001:db8::1"));
  EXPECT_TRUE(in("10.0.0.0/8", "::ffff:10.1.1.1"));
}

TEST(Cidr, RefusesWithTheRightForm) {
  for (std::string_view text : {"", "ten", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/8/8", "10.0.0.0/-1",
                                "10.0.0.0/8 ", "/8", "10.0.0.0/08x"}) {
    Result<Cidr> cidr = Cidr::parse(text);
    ASSERT_FALSE(cidr) << text;
    EXPECT_EQ(cidr.error().kind, ErrorKind::kInvalid);
    EXPECT_THAT(cidr.error().detail, HasSubstr("10.0.0.0/8 or fd00::/8"));
  }
}

TEST(Cidr, SaysWhatToWriteWhenBitsAreSetBeyondTheLength) {
  Result<Cidr> cidr = Cidr::parse("10.1.2.3/8");
  ASSERT_FALSE(cidr);
  EXPECT_THAT(cidr.error().detail, HasSubstr("write 10.0.0.0/8"));
  cidr = Cidr::parse("2001:db8::1/32");
  ASSERT_FALSE(cidr);
  EXPECT_THAT(cidr.error().detail, HasSubstr("write 2001:db8::/32"));
}

TEST(CidrList, TakesSeveralValuesAndCommas) {
  std::vector<std::string> values{"10.0.0.0/8, 192.0.2.1", "::1"};
  Result<std::vector<Cidr>> ranges = parse_cidr_list(values);
  ASSERT_TRUE(ranges);
  EXPECT_EQ(ranges->size(), 3U);
  EXPECT_TRUE(contains(*ranges, *parse_ip("10.9.9.9")));
  EXPECT_TRUE(contains(*ranges, *parse_ip("::1")));
  EXPECT_FALSE(contains(*ranges, *parse_ip("192.0.2.2")));
}

TEST(CidrList, AnEmptyListContainsNothing) {
  Result<std::vector<Cidr>> ranges = parse_cidr_list({});
  ASSERT_TRUE(ranges);
  EXPECT_FALSE(contains(*ranges, *parse_ip("127.0.0.1")));
}

TEST(CidrList, NamesTheWrongValue) {
  std::vector<std::string> values{"10.0.0.0/8,bad\n"};
  Result<std::vector<Cidr>> ranges = parse_cidr_list(values);
  ASSERT_FALSE(ranges);
  EXPECT_THAT(ranges.error().detail, HasSubstr("\"bad\\x0a\""));
}

}  // namespace
}  // namespace sandgate::gateway
