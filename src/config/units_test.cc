// SPDX-License-Identifier: Apache-2.0
#include "config/units.h"

#include <gtest/gtest.h>

namespace sandgate::config {
namespace {

TEST(Units, DurationsAreANumberAndAUnit) {
  EXPECT_EQ(parse_duration("500ms"), Milliseconds(500));
  EXPECT_EQ(parse_duration("5s"), Milliseconds(5000));
  EXPECT_EQ(parse_duration("2m"), Milliseconds(120'000));
  EXPECT_EQ(parse_duration("1h"), Milliseconds(3'600'000));
  EXPECT_EQ(parse_duration("0s"), Milliseconds(0));
  for (const char* text : {"", "5", "s", "5 s", "-5s", "5x", "1.5s", "9223372036854775807d", "99999999999999999999s"})
    EXPECT_FALSE(parse_duration(text)) << text;
}

TEST(Units, SizesAreANumberAndAUnit) {
  EXPECT_EQ(parse_bytes("1KiB"), 1024U);
  EXPECT_EQ(parse_bytes("16MiB"), 16U << 20);
  EXPECT_EQ(parse_bytes("2GB"), 2'000'000'000U);
  EXPECT_EQ(parse_bytes("7B"), 7U);
  for (const char* text : {"", "16", "16M", "16mib", "-1B", "9223372036854775807GiB"})
    EXPECT_FALSE(parse_bytes(text)) << text;
}

TEST(Units, AreWrittenInTheLargestThatFits) {
  EXPECT_EQ(format_duration(Milliseconds(1500)), "1500ms");
  EXPECT_EQ(format_duration(Milliseconds(90'000)), "90s");
  EXPECT_EQ(format_duration(Milliseconds(3'600'000)), "1h");
  EXPECT_EQ(format_duration(Milliseconds(0)), "0s");
  EXPECT_EQ(format_bytes(16 << 20), "16MiB");
  EXPECT_EQ(format_bytes(1500), "1500B");
  EXPECT_EQ(format_bytes(0), "0B");
}

}  // namespace
}  // namespace sandgate::config
