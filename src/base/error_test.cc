// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <gtest/gtest.h>

#include <set>

#include "base/result.h"

namespace sandgate {
namespace {

TEST(ErrorKindName, IsStableAndOneForEachKind) {
  EXPECT_EQ(error_kind_name(ErrorKind::kInvalid), "invalid");
  EXPECT_EQ(error_kind_name(ErrorKind::kGuestFault), "guest_fault");
  EXPECT_EQ(error_kind_name(ErrorKind::kInternal), "internal");
  std::set<std::string_view> names;
  for (int kind = 0; kind <= static_cast<int>(ErrorKind::kInternal); ++kind) {
    const std::string_view name = error_kind_name(static_cast<ErrorKind>(kind));
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string_view::npos) << name;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
  EXPECT_EQ(names.size(), 11U);
}

TEST(Result, CarriesAValueOrAnError) {
  Result<int> good = 3;
  ASSERT_TRUE(good.has_value());
  EXPECT_EQ(*good, 3);
  Result<int> bad = fail(ErrorKind::kDenied, "not allowed", "because");
  ASSERT_FALSE(bad.has_value());
  EXPECT_EQ(bad.error().kind, ErrorKind::kDenied);
  EXPECT_EQ(bad.error().detail, "not allowed");
  EXPECT_EQ(bad.error().cause, "because");
}

TEST(Result, HandsAnErrorOn) {
  Result<int> first = fail(ErrorKind::kNotFound, "no such thing");
  Status second = fail(std::move(first.error()));
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(second.error().detail, "no such thing");
  EXPECT_EQ(second.error().cause, "");
  EXPECT_TRUE(Status().has_value());
}

}  // namespace
}  // namespace sandgate
