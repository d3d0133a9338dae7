// SPDX-License-Identifier: Apache-2.0
#include "config/toml_document.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <variant>

namespace sandgate::config {
namespace {

std::string mistakes_of(std::string_view text) {
  Diagnostics out;
  parse_toml(text, out);
  std::string all;
  for (const std::string& line : out.lines("f.toml")) all += line + "\n";
  return all;
}

// The library asserts, before it reports, that a key begins as keys do. A file is no reason to end the process, nor to
// assume what it says.
TEST(TomlDocument, HeaderWithoutAKeyIsReported) {
  for (const std::string_view text : {"[.\n", "[=]\n", "[[\x01]]\n", "[[[\n"}) {
    EXPECT_NE(mistakes_of(text).find("f.toml:1: no valid TOML: "), std::string::npos) << text;
  }
}

TEST(TomlDocument, SyntaxErrorsNameTheirLine) {
  EXPECT_NE(mistakes_of("a = 1\nb = \n").find("f.toml:2: no valid TOML: "), std::string::npos);
  EXPECT_NE(mistakes_of("a = 1\n\n[x\n").find("f.toml:3: no valid TOML: "), std::string::npos);
}

TEST(TomlDocument, LettersBeyondAsciiBelongInQuotes) {
  EXPECT_EQ(mistakes_of("\xef\xbb\xbf# é\na = \"é\"\nb = 'é'\n\"é\" = \"\"\"\né\"\"\"\"\" # é\nc = '''\né''' # é"), "");
  EXPECT_EQ(mistakes_of("a = \"\\\"é\"\n"), "");
  for (const std::string_view text :
       {"a = 1\né = 1\n", "a = 1\nbé = 1\n", "a = 1\nb =\u00a0 1\n", "a = \"\"\n[é]\n", "a = ''\nb = é"}) {
    EXPECT_NE(mistakes_of(text).find("f.toml:2: no valid TOML: "), std::string::npos) << text;
  }
  EXPECT_NE(mistakes_of("a = \"x\nb = é\n").find("f.toml:1: "), std::string::npos) << "the open string is the mistake";
}

}  // namespace
}  // namespace sandgate::config
