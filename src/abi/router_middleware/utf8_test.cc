// SPDX-License-Identifier: Apache-2.0
#include "abi/router_middleware/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace sandgate::abi::router_middleware {
namespace {

// What a code point is in UTF-8, by the table of RFC 3629 section 3 and nothing else.
std::string encode(unsigned point) {
  auto byte = [](unsigned value) { return static_cast<char>(value); };
  if (point < 0x80) return {byte(point)};
  if (point < 0x800) return {byte(0xc0 | (point >> 6)), byte(0x80 | (point & 0x3f))};
  if (point < 0x10000)
    return {byte(0xe0 | (point >> 12)), byte(0x80 | ((point >> 6) & 0x3f)), byte(0x80 | (point & 0x3f))};
  return {byte(0xf0 | (point >> 18)), byte(0x80 | ((point >> 12) & 0x3f)), byte(0x80 | ((point >> 6) & 0x3f)),
          byte(0x80 | (point & 0x3f))};
}

TEST(Utf8, AcceptsEveryScalarValueAndNoSurrogate) {
  for (unsigned point = 0; point <= 0x110100; ++point) {
    bool scalar = point < 0xd800 || (point > 0xdfff && point <= 0x10ffff);
    ASSERT_EQ(is_utf8(encode(point)), scalar) << point;
  }
}

TEST(Utf8, AcceptsTextAtEveryPlaceInAWord) {
  for (std::size_t before = 0; before < 20; ++before) {
    for (std::size_t after = 0; after < 20; ++after) {
      EXPECT_TRUE(is_utf8(std::string(before, 'a') + "\xe2\x82\xac" + std::string(after, 'b')));
      EXPECT_FALSE(is_utf8(std::string(before, 'a') + "\xff" + std::string(after, 'b')));
      EXPECT_FALSE(is_utf8(std::string(before, 'a') + "\xe2\x82" + std::string(after, 'b')));
    }
  }
}

TEST(Utf8, RefusesOverlongForms) {
  for (const char* text :
       {"\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf"}) {
    EXPECT_FALSE(is_utf8(text)) << text;
  }
}

TEST(Utf8, RefusesWhatIsNoLeadByteOrNoContinuation) {
  for (unsigned lead = 0x80; lead <= 0xff; ++lead) {
    std::string text{static_cast<char>(lead)};
    EXPECT_FALSE(is_utf8(text)) << lead;
    EXPECT_FALSE(is_utf8(text + "a")) << lead;
    EXPECT_FALSE(is_utf8(text + "\xc3\xa9")) << lead;
  }
  for (const char* text : {"\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\xed\xa0\x80"})
    EXPECT_FALSE(is_utf8(text));
}

TEST(Utf8, ReadsNothingPastTheEnd) {
  // A lead byte at the end of a view whose buffer goes on with continuation bytes.
  std::string buffer = "aaaaaaaa\xf0\x9f\x98\x80";
  for (std::size_t cut = 9; cut < 12; ++cut) EXPECT_FALSE(is_utf8(std::string_view(buffer).substr(0, cut)));
  EXPECT_TRUE(is_utf8(buffer));
  EXPECT_TRUE(is_utf8(""));
}

TEST(Utf8, ShowsLatin1AsItsCodePoints) {
  Arena arena;
  std::string all;
  std::string expected;
  for (unsigned byte = 0; byte <= 0xff; ++byte) {
    all += static_cast<char>(byte);
    expected += encode(byte);
  }
  EXPECT_EQ(latin1_to_utf8(all, arena), expected);
  EXPECT_EQ(latin1_to_utf8("", arena), "");
}

}  // namespace
}  // namespace sandgate::abi::router_middleware
