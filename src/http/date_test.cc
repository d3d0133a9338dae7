// SPDX-License-Identifier: Apache-2.0
#include "http/date.h"

#include <gtest/gtest.h>

#include <string>

namespace sandgate::http {
namespace {

TEST(FormatDate, WritesTheRfcsExample) { EXPECT_EQ(format_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT"); }

TEST(FormatDate, KnowsTheEndsOfYearsAndLeapDays) {
  EXPECT_EQ(format_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(format_date(86399), "Thu, 01 Jan 1970 23:59:59 GMT");
  EXPECT_EQ(format_date(951782400), "Tue, 29 Feb 2000 00:00:00 GMT");
  EXPECT_EQ(format_date(1709164800), "Thu, 29 Feb 2024 00:00:00 GMT");
  EXPECT_EQ(format_date(1735689599), "Tue, 31 Dec 2024 23:59:59 GMT");
  EXPECT_EQ(format_date(4107542400), "Mon, 01 Mar 2100 00:00:00 GMT");
  EXPECT_EQ(format_date(253402300799), "Fri, 31 Dec 9999 23:59:59 GMT");
}

TEST(ParseDate, ReadsTheThreeForms) {
  EXPECT_EQ(parse_date("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);
  EXPECT_EQ(parse_date("Sunday, 06-Nov-94 08:49:37 GMT"), 784111777);
  EXPECT_EQ(parse_date("Sun Nov  6 08:49:37 1994"), 784111777);
  EXPECT_EQ(parse_date("Sun Nov 16 08:49:37 1994"), 784975777);
  EXPECT_EQ(parse_date("Friday, 01-Jan-27 00:00:00 GMT"), 1798761600);
}

TEST(ParseDate, ReadsWhatIsWritten) {
  for (std::int64_t instant :
       {std::int64_t{0}, std::int64_t{951782400}, std::int64_t{1735689599}, std::int64_t{253402300799}})
    EXPECT_EQ(parse_date(format_date(instant)), instant);
}

TEST(ParseDate, RefusesEverythingElse) {
  const std::string whole = "Sun, 06 Nov 1994 08:49:37 GMT";
  for (std::size_t cut = 0; cut < whole.size(); ++cut) EXPECT_FALSE(parse_date(whole.substr(0, cut))) << cut;
  for (std::string_view text :
       {"Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1969 08:49:37 GMT",
        "Sun, -6 Nov 1994 08:49:37 GMT", "784111777", "Sun Nov 6 08:49:37 1994"})
    EXPECT_FALSE(parse_date(text)) << text;
}

}  // namespace
}  // namespace sandgate::http
