// SPDX-License-Identifier: Apache-2.0
#include "net/address.h"

#include <gtest/gtest.h>
#include <sys/un.h>

#include <string>

namespace sandgate::net {
namespace {

std::string parsed(std::string_view text) {
  Result<Address> address = parse_listen_address(text);
  return address ? address->text() : "error: " + address.error().detail;
}

TEST(Address, IsWrittenAsItIsRead) {
  for (std::string_view text : {"127.0.0.1:3000", "0.0.0.0:1", "[::1]:65535", "[::]:0", "unix:/run/a.sock"}) {
    EXPECT_EQ(parsed(text), text);
  }
}

TEST(Address, ANameIsLookedUp) {
  Result<Address> address = parse_listen_address("localhost:80");
  ASSERT_TRUE(address);
  EXPECT_TRUE(address->is_loopback());
  EXPECT_EQ(address->port(), 80);
}

TEST(Address, ANameWithoutAddressIsNotFound) {
  Result<Address> address = resolve("no-such-host.invalid", 80);
  ASSERT_FALSE(address);
  EXPECT_EQ(address.error().kind, ErrorKind::kNotFound);
  EXPECT_NE(address.error().detail.find("no-such-host.invalid"), std::string::npos);
}

TEST(Address, AMistakeIsAnsweredWithTheRightForm) {
  for (std::string_view text :
       {"", ":", ":80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:-1", "127.0.0.1:+1", "127.0.0.1:65536",
        "127.0.0.1:80 ", "::1:80", "[::1]", "[]:80", "[:80"}) {
    Result<Address> address = parse_listen_address(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error().kind, ErrorKind::kInvalid) << text;
    EXPECT_NE(address.error().detail.find("[::1]:3000"), std::string::npos) << address.error().detail;
  }
}

TEST(Address, AUnixPathFitsTheKernelsStructureOrIsRefused) {
  sockaddr_un un{};
  std::string longest(sizeof(un.sun_path) - 1, 'a');
  EXPECT_EQ(parsed("unix:" + longest), "unix:" + longest);
  for (const std::string& path : {longest + "a", std::string()}) {
    Result<Address> address = parse_listen_address("unix:" + path);
    ASSERT_FALSE(address);
    EXPECT_EQ(address.error().kind, ErrorKind::kInvalid);
  }
}

TEST(Address, AUnixPathWithNulIsRefused) {
  using namespace std::string_view_literals;
  EXPECT_FALSE(parse_listen_address("unix:/a\0b"sv));
}

TEST(Address, KnowsLoopback) {
  for (std::string_view text : {"127.0.0.1:1", "127.255.0.3:1", "[::1]:1", "[::ffff:127.0.0.1]:1", "unix:/a"}) {
    EXPECT_TRUE(parse_listen_address(text)->is_loopback()) << text;
  }
  for (std::string_view text : {"128.0.0.1:1", "0.0.0.0:1", "[::]:1", "[::2]:1", "[::ffff:10.0.0.1]:1"}) {
    EXPECT_FALSE(parse_listen_address(text)->is_loopback()) << text;
  }
}

TEST(Address, KnowsTheAnyAddress) {
  EXPECT_TRUE(parse_listen_address("0.0.0.0:1")->is_any());
  EXPECT_TRUE(parse_listen_address("[::]:1")->is_any());
  EXPECT_FALSE(parse_listen_address("127.0.0.1:1")->is_any());
  EXPECT_FALSE(parse_listen_address("unix:/a")->is_any());
}

TEST(Address, ShowsMappedAddressesAsIpv4) {
  EXPECT_EQ(parse_listen_address("[::ffff:10.1.2.3]:1")->host_text(), "10.1.2.3");
  EXPECT_EQ(parse_listen_address("unix:/a")->host_text(), "unix");
}

}  // namespace
}  // namespace sandgate::net
