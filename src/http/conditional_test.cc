// SPDX-License-Identifier: Apache-2.0
#include "http/conditional.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <utility>

namespace sandgate::http {
namespace {

constexpr std::string_view kBefore = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr std::string_view kThen = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr std::string_view kAfter = "Sun, 06 Nov 1994 08:49:38 GMT";
constexpr Validators kValidators{"\"v1\"", 784111777};
constexpr std::int64_t kNow = 1'000'000'000;

using Lines = std::initializer_list<std::pair<std::string_view, std::string_view>>;

Precondition judge(Lines lines) {
  Arena arena;
  Fields fields(arena);
  for (const auto& [name, value] : lines) fields.add(name, value);
  return evaluate_preconditions(fields, kValidators);
}

// "whole", "none" or "FIRST+LENGTH".
std::string range(Lines lines, std::uint64_t size = 100, std::int64_t now = kNow) {
  Arena arena;
  Fields fields(arena);
  for (const auto& [name, value] : lines) fields.add(name, value);
  ByteRange found = requested_range(fields, kValidators, size, now);
  if (found.kind == ByteRange::Kind::kWhole) return "whole";
  if (found.kind == ByteRange::Kind::kUnsatisfiable) return "none";
  return std::to_string(found.first) + "+" + std::to_string(found.length);
}
std::string range(std::string_view value, std::uint64_t size = 100) { return range({{"Range", value}}, size); }

TEST(Preconditions, WithoutAnyHold) { EXPECT_EQ(judge({{"accept", "*/*"}}), Precondition::kHolds); }

TEST(Preconditions, IfNoneMatchComparesWeakly) {
  for (std::string_view value :
       {"\"v1\"", "W/\"v1\"", "*", "\"a\", \"v1\"", "\"a\",,W/\"v1\" , \"b\"", "\"a,b\",\"v1\""})
    EXPECT_EQ(judge({{"If-None-Match", value}}), Precondition::kNotModified) << value;
  for (std::string_view value : {"\"v2\"", "v1", "\"v1", "", "w/\"v1\"", "\"v2\" \"v1\"", "x, \"v1\""})
    EXPECT_EQ(judge({{"If-None-Match", value}}), Precondition::kHolds) << value;
  EXPECT_EQ(judge({{"If-None-Match", "\"a\""}, {"if-none-match", "\"v1\""}}), Precondition::kNotModified);
}

TEST(Preconditions, IfMatchComparesStrongly) {
  EXPECT_EQ(judge({{"If-Match", "\"v0\", \"v1\""}}), Precondition::kHolds);
  EXPECT_EQ(judge({{"If-Match", "*"}}), Precondition::kHolds);
  for (std::string_view value : {"W/\"v1\"", "\"v2\"", "v1", ""})
    EXPECT_EQ(judge({{"If-Match", value}}), Precondition::kFailed) << value;
}

TEST(Preconditions, DatesCountBySeconds) {
  EXPECT_EQ(judge({{"If-Modified-Since", kThen}}), Precondition::kNotModified);
  EXPECT_EQ(judge({{"If-Modified-Since", kAfter}}), Precondition::kNotModified);
  EXPECT_EQ(judge({{"If-Modified-Since", kBefore}}), Precondition::kHolds);
  EXPECT_EQ(judge({{"If-Modified-Since", "yesterday"}}), Precondition::kHolds);
  EXPECT_EQ(judge({{"If-Unmodified-Since", kThen}}), Precondition::kHolds);
  EXPECT_EQ(judge({{"If-Unmodified-Since", kBefore}}), Precondition::kFailed);
  EXPECT_EQ(judge({{"If-Unmodified-Since", "yesterday"}}), Precondition::kHolds);
}

TEST(Preconditions, TagsComeBeforeDates) {
  EXPECT_EQ(judge({{"If-None-Match", "\"v2\""}, {"If-Modified-Since", kAfter}}), Precondition::kHolds);
  EXPECT_EQ(judge({{"If-Match", "\"v1\""}, {"If-Unmodified-Since", kBefore}}), Precondition::kHolds);
  EXPECT_EQ(judge({{"If-Match", "\"v1\""}, {"If-None-Match", "\"v1\""}}), Precondition::kNotModified);
  EXPECT_EQ(judge({{"If-Match", "\"v2\""}, {"If-None-Match", "\"v1\""}}), Precondition::kFailed);
}

TEST(Range, OneRangeIsAPart) {
  EXPECT_EQ(range("bytes=0-0"), "0+1");
  EXPECT_EQ(range("bytes=0-99"), "0+100");
  EXPECT_EQ(range("bytes=10-"), "10+90");
  EXPECT_EQ(range("bytes=10-1000"), "10+90");
  EXPECT_EQ(range("bytes=-1"), "99+1");
  EXPECT_EQ(range("bytes=-1000"), "0+100");
  EXPECT_EQ(range("BYTES= 1-2 ,"), "1+2");
  EXPECT_EQ(range("bytes=0-99999999999999999999999999"), "0+100");
}

TEST(Range, BehindTheEndIsNone) {
  EXPECT_EQ(range("bytes=100-"), "none");
  EXPECT_EQ(range("bytes=100-200"), "none");
  EXPECT_EQ(range("bytes=99999999999999999999999999-"), "none");
  EXPECT_EQ(range("bytes=-0"), "none");
  EXPECT_EQ(range("bytes=0-", 0), "none");
  EXPECT_EQ(range("bytes=-5", 0), "none");
}

TEST(Range, WhatIsMalformedSeveralOrOfAnotherUnitIsTheWhole) {
  for (std::string_view value : {"bytes=5-2", "bytes=", "bytes=-", "bytes=a-b", "bytes=1", "bytes=1-2-3", "bytes=+1-2",
                                 "bytes=0-1,5-6", "lines=0-1", "bytes 0-1", "bytes=0x1-2", "bytes=1 -2", ""})
    EXPECT_EQ(range(value), "whole") << value;
  EXPECT_EQ(range({{"Range", "bytes=0-1"}, {"Range", "bytes=0-1"}}), "whole");
}

TEST(Range, IfRangeAsksForTheSameVersion) {
  EXPECT_EQ(range({{"Range", "bytes=0-1"}, {"If-Range", "\"v1\""}}), "0+2");
  EXPECT_EQ(range({{"Range", "bytes=0-1"}, {"If-Range", kThen}}), "0+2");
  for (std::string_view value :
       {std::string_view("\"v2\""), std::string_view("W/\"v1\""), std::string_view("v1"), kBefore, kAfter})
    EXPECT_EQ(range({{"Range", "bytes=0-1"}, {"If-Range", value}}), "whole") << value;
  EXPECT_EQ(range({{"Range", "bytes=900-"}, {"If-Range", "\"v2\""}}), "whole") << "not 416";
  EXPECT_EQ(range({{"Range", "bytes=0-1"}, {"If-Range", kThen}}, 100, kValidators.modified_unix_s), "whole")
      << "it may change again within that second";
}

}  // namespace
}  // namespace sandgate::http
