// SPDX-License-Identifier: Apache-2.0
#include "base/ascii.h"

#include <gtest/gtest.h>

#include <string>

namespace sandgate {
namespace {

TEST(Ascii, LowersLettersOnly) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    EXPECT_EQ(ascii_lower(c), byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + 32) : c);
    EXPECT_EQ(ascii_digit(c), byte >= '0' && byte <= '9');
  }
}

TEST(Ascii, ComparesWithoutCase) {
  EXPECT_TRUE(equals_ignoring_case("", ""));
  EXPECT_TRUE(equals_ignoring_case("Content-Type", "cONTENT-tYPE"));
  EXPECT_FALSE(equals_ignoring_case("a", "ab"));
  EXPECT_FALSE(equals_ignoring_case("a", "b"));
  EXPECT_FALSE(equals_ignoring_case("@", "`")) << "differ in the bit of case, but are no letters";
  EXPECT_FALSE(equals_ignoring_case("[", "{"));
  EXPECT_FALSE(equals_ignoring_case("\xc3\xa9", "\xc3\x89")) << "only ASCII has case here";
}

TEST(Ascii, TrimsSpacesAndTabsOnly) {
  EXPECT_EQ(trimmed(" \t a b\t "), "a b");
  EXPECT_EQ(trimmed(""), "");
  EXPECT_EQ(trimmed(" \t "), "");
  EXPECT_EQ(trimmed("\na\r"), "\na\r");
}

std::string elements(std::string_view list) {
  std::string text;
  for_each_list_element(list, [&text](std::string_view element) { text += "[" + std::string(element) + "]"; });
  return text;
}

TEST(Ascii, VisitsListElements) {
  EXPECT_EQ(elements("a"), "[a]");
  EXPECT_EQ(elements("a,b"), "[a][b]");
  EXPECT_EQ(elements(" a ,\tb c\t, d"), "[a][b c][d]");
  EXPECT_EQ(elements(""), "");
  EXPECT_EQ(elements(" , ,,\t"), "");
  EXPECT_EQ(elements(",a,"), "[a]");
}

}  // namespace
}  // namespace sandgate
