// SPDX-License-Identifier: Apache-2.0
#include "http/byte_class.h"

#include <gtest/gtest.h>

#include <string>

#include "http/testing/guarded_input.h"

namespace sandgate::http {
namespace {

TEST(ByteClass, TokenBytesAreThoseOfTheRfc) {
  const std::string_view tchars = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    EXPECT_EQ(is_byte(c, kTokenByte), tchars.find(c) != std::string_view::npos) << byte;
  }
}

TEST(ByteClass, TargetBytesAreVisibleAsciiWithoutTheNumberSign) {
  for (int byte = 0; byte < 256; ++byte) {
    EXPECT_EQ(is_byte(static_cast<char>(byte), kTargetByte), byte >= 0x21 && byte <= 0x7e && byte != '#') << byte;
  }
}

TEST(ByteClass, ControlBytesExcludeTheTab) {
  for (int byte = 0; byte < 256; ++byte) {
    EXPECT_EQ(is_byte(static_cast<char>(byte), kControlByte), (byte < 0x20 && byte != '\t') || byte == 0x7f) << byte;
  }
}

TEST(ByteClass, HexDigitsHaveTheirValues) {
  const std::string_view digits = "0123456789abcdef";
  for (std::size_t i = 0; i < digits.size(); ++i) EXPECT_EQ(hex_value(digits[i]), i);
  EXPECT_EQ(hex_value('A'), 10U);
  EXPECT_EQ(hex_value('F'), 15U);
}

// Every byte value at every place of inputs up to three vectors long, against the end of readable memory.
TEST(FindControl, FindsEveryControlByteAtEveryPlace) {
  testing::GuardedInput input(64);
  for (std::size_t size = 0; size <= 50; ++size) {
    for (std::size_t place = 0; place < size; ++place) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string text(size, place % 2 == 0 ? 'a' : '\t');
        text[place] = static_cast<char>(byte);
        const std::string_view placed = input.place(text);
        const char* end = placed.data() + placed.size();
        const char* expected = is_byte(static_cast<char>(byte), kControlByte) ? placed.data() + place : end;
        ASSERT_EQ(find_control(placed.data(), end), expected) << size << ' ' << place << ' ' << byte;
      }
    }
  }
}

TEST(FindNonToken, FindsEveryByteThatIsNoneAtEveryPlace) {
  testing::GuardedInput input(64);
  for (std::size_t size = 0; size <= 34; ++size) {
    for (std::size_t place = 0; place < size; ++place) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string text(size, place % 2 == 0 ? 'a' : '_');
        text[place] = static_cast<char>(byte);
        const std::string_view placed = input.place(text);
        const char* end = placed.data() + placed.size();
        const char* expected = is_byte(static_cast<char>(byte), kTokenByte) ? end : placed.data() + place;
        ASSERT_EQ(find_non_token(placed.data(), end), expected) << size << ' ' << place << ' ' << byte;
      }
    }
  }
}

TEST(FindControl, FindsTheFirstOfSeveral) {
  const std::string_view text = "0123456789abcdef\tx\x80\xff\r\n\r\n";
  EXPECT_EQ(find_control(text.data(), text.data() + text.size()), text.data() + 20);
  EXPECT_EQ(find_control(nullptr, nullptr), nullptr);
}

}  // namespace
}  // namespace sandgate::http
