// SPDX-License-Identifier: Apache-2.0
#include "http/date.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace sandgate::http
