// SPDX-License-Identifier: Apache-2.0
#include "platform/clock.h"

#include <gtest/gtest.h>

namespace sandgate::platform {
namespace {

TEST(Rfc3339, HasNineDigitsAndUtc) {
  EXPECT_EQ(format_rfc3339(0), "1970-01-01T00:00:00.000000000Z");
  EXPECT_EQ(format_rfc3339(1'767'323'045'123'456'789), "2026-01-02T03:04:05.123456789Z");
  EXPECT_EQ(format_rfc3339(951'782'400'000'000'001), "2000-02-29T00:00:00.000000001Z");
  EXPECT_EQ(format_rfc3339(253'402'300'799), "1970-01-01T00:04:13.402300799Z");
}

TEST(Rfc3339, CountsBackwardsBeforeTheEpoch) {
  EXPECT_EQ(format_rfc3339(-1), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(format_rfc3339(-1'000'000'000), "1969-12-31T23:59:59.000000000Z");
}

TEST(Clock, NeverGoesBack) {
  Nanoseconds before = monotonic_now();
  for (int i = 0; i < 1000; ++i) {
    Nanoseconds now = monotonic_now();
    ASSERT_GE(now, before);
    before = now;
  }
}

TEST(Clock, KnowsThatItIsAfter2020) {
  EXPECT_GT(unix_now_ns(), 1'577'836'800'000'000'000);
  EXPECT_GT(unix_now_ms(), 1'577'836'800'000);
}

}  // namespace
}  // namespace sandgate::platform
