// SPDX-License-Identifier: Apache-2.0
#include "routing/path_pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sandgate::routing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Kind = PathSegment::Kind;

PathPattern pattern(std::string_view text) {
  Result<PathPattern> parsed = PathPattern::parse(text);
  EXPECT_TRUE(parsed) << text;
  return *parsed;
}

std::string error_of(std::string_view text) {
  Result<PathPattern> parsed = PathPattern::parse(text);
  return parsed ? "accepted" : parsed.error().detail;
}

TEST(PathPattern, HasLiteralsParametersAndARest) {
  PathPattern parsed = pattern("/v1/users/:id/files/*path");
  ASSERT_EQ(parsed.segments().size(), 5U);
  EXPECT_EQ(parsed.segments()[0], (PathSegment{Kind::kLiteral, "v1"}));
  EXPECT_EQ(parsed.segments()[2], (PathSegment{Kind::kParameter, "id"}));
  EXPECT_EQ(parsed.segments()[4], (PathSegment{Kind::kRest, "path"}));
  EXPECT_THAT(parsed.names(), ElementsAre("id", "path"));
  EXPECT_TRUE(parsed.has_rest());
  EXPECT_EQ(parsed.text(), "/v1/users/:id/files/*path");
}

TEST(PathPattern, KeepsTheSlashAtTheEnd) {
  EXPECT_EQ(pattern("/").segments().size(), 1U);
  EXPECT_EQ(pattern("/a").segments().size(), 1U);
  EXPECT_EQ(pattern("/a/").segments().size(), 2U);
}

TEST(PathPattern, HasTheSpellingThatRequestsHave) { EXPECT_EQ(pattern("/%61b%2f").segments()[0].text, "ab%2F"); }

TEST(PathPattern, SaysWhatIsWrong) {
  EXPECT_THAT(error_of("v1"), HasSubstr("begins with"));
  EXPECT_THAT(error_of(""), HasSubstr("begins with"));
  EXPECT_THAT(error_of("/a//b"), HasSubstr("never matches"));
  EXPECT_THAT(error_of("/a/../b"), HasSubstr("\"..\" is no segment"));
  EXPECT_THAT(error_of("/a b"), HasSubstr("\"a b\" is no segment"));
  EXPECT_THAT(error_of("/%zz"), HasSubstr("is no segment"));
  EXPECT_THAT(error_of("/a?b"), HasSubstr("is no segment"));
  EXPECT_THAT(error_of("/:"), HasSubstr("needs a name"));
  EXPECT_THAT(error_of("/:a-b"), HasSubstr("needs a name"));
  EXPECT_THAT(error_of("/*"), HasSubstr("such as *rest"));
  EXPECT_THAT(error_of("/*rest/more"), HasSubstr("must come last"));
  EXPECT_THAT(error_of("/a*"), HasSubstr("may only begin a segment"));
  EXPECT_THAT(error_of("/:id/:id"), HasSubstr("occurs twice"));
  EXPECT_THAT(error_of("/" + std::string(PathPattern::kBytesMax, 'a')), HasSubstr("1024 bytes"));
}

TEST(PathPattern, IsBounded) {
  std::string segments;
  std::string names;
  for (std::size_t i = 0; i < PathPattern::kSegmentsMax; ++i) segments += "/a";
  for (std::size_t i = 0; i < PathPattern::kCapturesMax; ++i) names += "/:a" + std::to_string(i);
  EXPECT_EQ(error_of(segments), "accepted");
  EXPECT_THAT(error_of(segments + "/a"), HasSubstr("32 segments"));
  EXPECT_EQ(error_of(names), "accepted");
  EXPECT_THAT(error_of(names + "/*rest"), HasSubstr("16 names"));
}

TEST(PathPattern, ShapesIgnoreNames) {
  EXPECT_TRUE(pattern("/a/:x").same_shape(pattern("/a/:y")));
  EXPECT_FALSE(pattern("/a/:x").same_shape(pattern("/a/*x")));
  EXPECT_FALSE(pattern("/a").same_shape(pattern("/b")));
  EXPECT_FALSE(pattern("/a").same_shape(pattern("/a/")));
}

}  // namespace
}  // namespace sandgate::routing
