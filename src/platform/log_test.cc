// SPDX-License-Identifier: Apache-2.0
#include "platform/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace sandgate::log {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

// What `write` puts on stderr.
template <typename Write>
std::string captured(Write&& write) {
  testing::internal::CaptureStderr();
  write();
  flush();
  return testing::internal::GetCapturedStderr();
}

TEST(LogEscaping, KeepsPlainText) {
  EXPECT_EQ(escaped("GET /a?b=c~"), "GET /a?b=c~");
  EXPECT_EQ(escaped(""), "");
}

TEST(LogEscaping, MarksEveryOtherByte) {
  EXPECT_EQ(escaped("a\nb\r\t"), "a\\x0ab\\x0d\\x09");
  EXPECT_EQ(escaped(std::string_view("\0\x1b\x7f", 3)), "\\x00\\x1b\\x7f");
  EXPECT_EQ(escaped("\xc3\xa9\xff"), "\\xc3\\xa9\\xff");
}

TEST(LogEscaping, CanBeUndone) { EXPECT_EQ(escaped("\\x0a \"q\""), "\\\\x0a \\\"q\\\""); }

TEST(LogEscaping, CutsLongText) {
  EXPECT_EQ(escaped("abcdef", 3), "abc...");
  EXPECT_EQ(escaped("abc", 3), "abc");
  EXPECT_EQ(escaped("\n\n\n", 1), "\\x0a...");
}

TEST(LogEscaping, Appends) {
  std::string out = "x=";
  append_escaped(out, "\n");
  EXPECT_EQ(out, "x=\\x0a");
}

TEST(Log, WritesTimeAndLevelFirst) {
  std::string text = captured([] { warning("upstream {} failed", "a"); });
  EXPECT_THAT(text, MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{3}Z .*warning.* upstream a failed\n"));
}

TEST(Log, KeepsALineOneLine) {
  std::string text = captured([] { info("{}", "a\nb\rc\x1b[31m"); });
  EXPECT_EQ(std::ranges::count(text, '\n'), 1);
  EXPECT_THAT(text, HasSubstr("a\\x0ab\\x0dc\\x1b[31m\n"));
}

TEST(Log, LeavesOutWhatIsBelowItsLevel) {
  set_level(Level::kWarning);
  EXPECT_FALSE(enabled(Level::kInfo));
  EXPECT_TRUE(enabled(Level::kError));
  std::string text = captured([] {
    info("quiet");
    error("loud");
  });
  EXPECT_THAT(text, Not(HasSubstr("quiet")));
  EXPECT_THAT(text, HasSubstr("loud"));
  set_level(Level::kOff);
  EXPECT_EQ(captured([] { error("silence"); }), "");
  set_level(Level::kInfo);
}

}  // namespace
}  // namespace sandgate::log
