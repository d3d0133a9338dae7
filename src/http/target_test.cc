// SPDX-License-Identifier: Apache-2.0
#include "http/target.h"

#include <gtest/gtest.h>

#include <string>

#include "http/testing/guarded_input.h"

namespace sandgate::http {
namespace {

std::string normal(std::string_view path) {
  Arena arena;
  testing::GuardedInput input(1024);
  const std::optional<std::string_view> result = normalise_path(input.place(path), arena);
  return result ? std::string(*result) : "refused";
}

struct Pair {
  std::string_view path;
  std::string_view normal;
};

TEST(NormalisePath, GivesOneSpelling) {
  for (const Pair& pair : {
           Pair{"/", "/"},
           {"/a/b", "/a/b"},
           {"/a/b/", "/a/b/"},
           {"/%61%2D%2e%5F%7e", "/a-._~"},
           {"/%41%5a%30%39", "/AZ09"},
           {"/a%2fb", "/a%2Fb"},
           {"/a%2Fb", "/a%2Fb"},
           {"/a%5cb", "/a%5Cb"},
           {"/%c3%a9", "/%C3%A9"},
           {"/%20%3f%23%25", "/%20%3F%23%25"},
           {"/%252e%252e/", "/%252e%252e/"},
           {"/!$&'()*+,;=:@", "/!$&'()*+,;=:@"},
           {"/%21", "/%21"},
           {"//", "/"},
           {"///a////b//", "/a/b/"},
           {"/.", "/"},
           {"/./", "/"},
           {"/..", "/"},
           {"/../..", "/"},
           {"/../../a", "/a"},
           {"/a/.", "/a/"},
           {"/a/..", "/"},
           {"/a/../", "/"},
           {"/a/b/..", "/a/"},
           {"/a/b/../c", "/a/c"},
           {"/a/b/./c", "/a/b/c"},
           {"/a/./../b", "/b"},
           {"/a//../b", "/b"},
           {"/a/%2e%2e/b", "/b"},
           {"/a/%2E%2E/b", "/b"},
           {"/a/.%2e/b", "/b"},
           {"/a/%2e/b", "/a/b"},
           {"/a/..%2fb", "/a/..%2Fb"},
           {"/a/..;/b", "/a/..;/b"},
           {"/.a", "/.a"},
           {"/..a", "/..a"},
           {"/a.", "/a."},
           {"/a..", "/a.."},
           {"/...", "/..."},
           {"/.well-known/x", "/.well-known/x"},
           {"/a/.../b", "/a/.../b"},
           {"/a/b/../../../c", "/c"},
           {"/aa/bb/../cc/../dd/", "/aa/dd/"},
       }) {
    EXPECT_EQ(normal(pair.path), pair.normal) << pair.path;
    EXPECT_EQ(normal(pair.normal), pair.normal) << "twice: " << pair.path;
  }
}

TEST(NormalisePath, RefusesWhatIsNoPath) {
  for (std::string_view path : {"", "a", "*", "?", "a/b", "%2f"}) EXPECT_EQ(normal(path), "refused") << path;
}

TEST(NormalisePath, RefusesControlBytesPlainAndEncoded) {
  constexpr char kHex[] = "0123456789abcdef";
  for (int byte = 0; byte < 256; ++byte) {
    const bool control = byte < 0x20 || byte == 0x7f;
    const std::string encoded = std::string("/a%") + kHex[byte / 16] + kHex[byte % 16] + "b";
    EXPECT_EQ(normal(encoded) == "refused", control) << encoded;
    const std::string plain = std::string("/a") + static_cast<char>(byte) + "b";
    const bool no_path_byte =
        control || byte >= 0x80 || std::string_view(" #?\\%").find(static_cast<char>(byte)) != std::string_view::npos;
    EXPECT_EQ(normal(plain) == "refused", no_path_byte) << byte;
  }
}

TEST(NormalisePath, RefusesBrokenEscapes) {
  for (std::string_view path : {"/%", "/%2", "/%g0", "/%0g", "/%%30", "/% 20", "/%u0041", "/a%2", "/%-1"})
    EXPECT_EQ(normal(path), "refused") << path;
}

TEST(NormalisePath, ReturnsThePathItselfWhenNothingChanged) {
  Arena arena;
  for (std::string_view path : {"/", "/a/b.c", "/a%2Fb", "/.well-known"}) {
    EXPECT_EQ(normalise_path(path, arena)->data(), path.data()) << path;
  }
  EXPECT_EQ(normalise_path("/a/b?", arena), std::nullopt);
}

std::string authority(std::string_view text) {
  testing::GuardedInput input(1024);
  const std::optional<Authority> result = parse_authority(input.place(text));
  if (!result) return "refused";
  return std::string(result->is_ipv6 ? "v6 " : "") + std::string(result->host) + " " + std::string(result->port);
}

TEST(ParseAuthority, TakesNamesAndAddresses) {
  for (const Pair& pair : {
           Pair{"a", "a "},
           {"example.com", "example.com "},
           {"EXAMPLE.com.", "EXAMPLE.com. "},
           {"xn--nxasmq6b.example:8080", "xn--nxasmq6b.example 8080"},
           {"my_service-1~a", "my_service-1~a "},
           {"127.0.0.1:1", "127.0.0.1 1"},
           {"a:65535", "a 65535"},
           {"a:080", "a 080"},
           {"[::]", "v6 :: "},
           {"[::1]:443", "v6 ::1 443"},
           {"[1:2:3:4:5:6:7:8]", "v6 1:2:3:4:5:6:7:8 "},
           {"[2001:DB8::a]", "v6 2001:DB8::a "},
           {"[1::]", "v6 1:: "},
           {"[1:2:3:4:5:6:7::]", "v6 1:2:3:4:5:6:7:: "},
           {"[::ffff:1.2.3.4]", "v6 ::ffff:1.2.3.4 "},
           {"[1:2:3:4:5:6:1.2.3.4]", "v6 1:2:3:4:5:6:1.2.3.4 "},
       }) {
    EXPECT_EQ(authority(pair.path), pair.normal) << pair.path;
  }
}

TEST(ParseAuthority, RefusesTheRest) {
  for (std::string_view text : {
           "",
           ":",
           ":80",
           "a:",
           "a:0",
           "a:65536",
           "a:000080",
           "a:+1",
           "a:1a",
           "a:80:80",
           "a b",
           " a",
           "a/",
           "a?",
           "a#",
           "a@b",
           "a,b",
           "a;b",
           "a%41",
           "a\\b",
           "\xc3\xa9",
           "a\tb",
           "a'",
           "(a)",
           "[]",
           "[",
           "]",
           "[::1",
           "::1",
           "[::1]a",
           "[::1]:",
           "[::1]:0",
           "[:::]",
           "[1:2]",
           "[1::2::3]",
           "[12345::]",
           "[g::]",
           "[::1%eth0]",
           "[::1%25e]",
           "[v1.a]",
           "[1.2.3.4]",
           "[::1.2.3]",
           "[::1.2.3.256]",
           "[::01.2.3.4]",
           "[1.2.3.4::]",
           "[1:2:3:4:5:6:7:8:9]",
           "[1:2:3:4:5:6:7:1.2.3.4]",
           "[::1:2:3:4:5:6:7:8]",
           "[:1::]",
           "[1:]",
           "[::1:]",
           "[:1:2:3:4:5:6:7]",
           "[[::1]]",
       }) {
    EXPECT_EQ(authority(text), "refused") << text;
  }
}

TEST(ParseAuthority, BoundsTheHost) {
  EXPECT_NE(authority(std::string(255, 'a')), "refused");
  EXPECT_EQ(authority(std::string(256, 'a')), "refused");
}

}  // namespace
}  // namespace sandgate::http
