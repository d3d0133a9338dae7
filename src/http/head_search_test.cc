// SPDX-License-Identifier: Apache-2.0
#include "http/head_search.h"

#include <gtest/gtest.h>

#include <string>

namespace sandgate::http {
namespace {

using Outcome = HeadSearch::Outcome;
constexpr auto kSkipped = HeadSearch::LeadingEmptyLine::kSkipped;
constexpr auto kRefused = HeadSearch::LeadingEmptyLine::kRefused;

TEST(HeadSearch, FindsTheParts) {
  HeadSearch search;
  const std::string_view bytes = "\r\nGET /\r\na: b\r\nc: d\r\n\r\nbody";
  ASSERT_EQ(search.search(bytes, {}, kSkipped), Outcome::kFound);
  EXPECT_EQ(bytes.substr(search.start(), search.line_end(0)), "GET /");
  EXPECT_EQ(search.lines(), 3U);
  EXPECT_EQ(bytes.substr(search.start(), search.line_end(2)), "GET /\r\na: b\r\nc: d");
  EXPECT_EQ(bytes.substr(search.end()), "body");
}

TEST(HeadSearch, RefusesAnEmptyLineWhereNoneIsSkipped) {
  EXPECT_EQ(HeadSearch().search("\r\n", {}, kRefused), Outcome::kEmptyLines);
  EXPECT_EQ(HeadSearch().search("\r\n", {}, kSkipped), Outcome::kNeedMore);
  EXPECT_EQ(HeadSearch().search("\r\n\r\n", {}, kSkipped), Outcome::kEmptyLines);
}

// Bytes that an earlier call saw are overwritten with bytes it would refuse; the search must not see them.
TEST(HeadSearch, LooksAtNoByteTwice) {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\nX: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n\r\n";
  HeadSearch search;
  std::string buffer;
  for (std::size_t i = 0; i + 1 < head.size(); ++i) {
    buffer += head[i];
    ASSERT_EQ(search.search(buffer, {}, kSkipped), Outcome::kNeedMore) << i;
    // A CR waits for its LF.
    if (head[i] != '\r') std::fill(buffer.begin(), buffer.end(), '\0');
  }
  buffer += head.back();
  EXPECT_EQ(search.search(buffer, {}, kSkipped), Outcome::kFound);
  EXPECT_EQ(search.end(), head.size());
}

TEST(HeadSearch, TellsWhatIsWrongAtTheFirstByteThatIs) {
  struct Case {
    std::string_view bytes;
    Outcome outcome;
  };
  for (const Case& wrong :
       {Case{"a\n", Outcome::kBareLf}, Case{"a\rb", Outcome::kBareCr}, Case{"a\r\r", Outcome::kBareCr},
        Case{"a\x01", Outcome::kControlByte}, Case{"a\x7f", Outcome::kControlByte}}) {
    EXPECT_EQ(HeadSearch().search(wrong.bytes.substr(0, wrong.bytes.size() - 1), {}, kSkipped), Outcome::kNeedMore);
    EXPECT_EQ(HeadSearch().search(wrong.bytes, {}, kSkipped), wrong.outcome);
  }
}

// The tightest limits meet each other: whichever byte comes first decides, however the bytes are cut.
TEST(HeadSearch, DecidesAtTheSameByteHoweverTheBytesAreCut) {
  const std::string_view samples[] = {"0123456789\r\na:b\r\n\r\n",
                                      "\r\n012345\r\na:b\r\nc:d\r\n\r\n",
                                      "01234\n",
                                      "0123\rx",
                                      "01234567890123456789",
                                      "01\r\n\r\n",
                                      "01\r\na\r\nb\r\nc\r\nd\r\n"};
  for (std::string_view bytes : samples) {
    for (std::size_t line = 0; line < 14; ++line) {
      for (std::size_t head = 0; head < 24; ++head) {
        const HeadLimits limits{.start_line_bytes = line, .head_bytes = head, .fields = 2};
        const Outcome whole = HeadSearch().search(bytes, limits, kSkipped);
        HeadSearch bytewise;
        Outcome outcome = Outcome::kNeedMore;
        for (std::size_t size = 1; size <= bytes.size() && outcome == Outcome::kNeedMore; ++size) {
          outcome = bytewise.search(bytes.substr(0, size), limits, kSkipped);
        }
        ASSERT_EQ(outcome, whole) << bytes << ' ' << line << ' ' << head;
      }
    }
  }
}

}  // namespace
}  // namespace sandgate::http
