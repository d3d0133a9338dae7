// SPDX-License-Identifier: Apache-2.0
#include "platform/entropy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>
#include <unordered_set>

namespace sandgate::platform {
namespace {

using testing::MatchesRegex;

TEST(Entropy, FillsTheWholeSpan) {
  // 64 bytes are all zero once in 2^512 times.
  std::array<std::byte, 64> bytes{};
  fill_random(bytes);
  EXPECT_NE(bytes, (std::array<std::byte, 64>{}));
  fill_random({});
  std::array<std::byte, 100'000> many{};  // more than one getrandom() gives
  fill_random(many);
  EXPECT_NE(many[many.size() - 1] | many[many.size() - 2] | many[many.size() - 3] | many[many.size() - 4],
            std::byte{0});
}

TEST(Uuid, IsVersion4InLowerCase) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    std::string uuid = make_uuid();
    ASSERT_THAT(uuid, MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
    ASSERT_TRUE(seen.insert(uuid).second);
  }
}

TEST(RequestIds, AreHexAndUnique) {
  RequestIds one;
  RequestIds two;
  std::unordered_set<std::string> seen;
  for (int i = 0; i < 50'000; ++i) {
    for (RequestIds* ids : {&one, &two}) {
      std::string id(RequestIds::kLength, '?');
      ids->next(id.data());
      ASSERT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos) << id;
      ASSERT_TRUE(seen.insert(id).second) << id;
    }
  }
}

TEST(RequestIds, WritesExactlyItsLength) {
  RequestIds ids;
  std::string room(RequestIds::kLength + 2, '#');
  ids.next(room.data() + 1);
  EXPECT_EQ(room.front(), '#');
  EXPECT_EQ(room.back(), '#');
  EXPECT_EQ(RequestIds::kLength, 32U);
}

TEST(RequestIds, DoNotShowACounter) {
  RequestIds ids;
  std::string first(RequestIds::kLength, '?');
  std::string second = first;
  ids.next(first.data());
  ids.next(second.data());
  std::size_t different = 0;
  for (std::size_t i = RequestIds::kLength / 2; i < RequestIds::kLength; ++i)
    different += first[i] != second[i] ? 1U : 0U;
  EXPECT_GT(different, 4U);
}

}  // namespace
}  // namespace sandgate::platform
