// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace sandgate {
namespace {

TEST(Arena, AlignsWhatItAllocates) {
  Arena arena;
  for (std::size_t alignment : {1U, 2U, 4U, 8U, 16U}) {
    for (std::size_t bytes : {0U, 1U, 3U, 17U, 4095U, 4096U, 10000U}) {
      auto at = reinterpret_cast<std::uintptr_t>(arena.allocate(bytes, alignment));
      EXPECT_EQ(at % alignment, 0U) << alignment << ' ' << bytes;
    }
  }
}

TEST(Arena, GivesRoomThatDoesNotOverlap) {
  Arena arena;
  struct Room {
    unsigned char* at;
    std::size_t bytes;
    unsigned char mark;
  };
  std::vector<Room> rooms;
  for (std::size_t i = 0; i < 500; ++i) {
    const std::size_t bytes = 1 + i * 37 % 600;
    auto* at = static_cast<unsigned char*>(arena.allocate(bytes, std::size_t{1} << (i % 5)));
    const auto mark = static_cast<unsigned char>(i);
    std::memset(at, mark, bytes);
    rooms.push_back({at, bytes, mark});
  }
  for (const Room& room : rooms) {
    for (std::size_t i = 0; i < room.bytes; ++i) ASSERT_EQ(room.at[i], room.mark);
  }
}

TEST(Arena, HoldsMoreThanABlock) {
  Arena arena;
  const std::string text(100000, 'x');
  EXPECT_EQ(arena.copy(text), text);
  EXPECT_GE(arena.bytes_reserved(), text.size());
}

TEST(Arena, CopiesAndJoins) {
  Arena arena;
  std::string text = "text";
  const std::string_view copy = arena.copy(text);
  text = "gone";
  EXPECT_EQ(copy, "text");
  EXPECT_EQ(arena.join("a", "bc"), "abc");
  EXPECT_EQ(arena.join("", "b", "cd"), "bcd");
  EXPECT_EQ(arena.join("a", "", ""), "a");
  EXPECT_EQ(arena.join("", ""), "");
  EXPECT_EQ(arena.copy(""), "");
}

TEST(Arena, ReservesNothingUntilAsked) {
  Arena arena;
  EXPECT_EQ(arena.bytes_reserved(), 0U);
  EXPECT_EQ(arena.copy("").size(), 0U);
  EXPECT_EQ(arena.bytes_reserved(), 0U);
}

TEST(Arena, ResetKeepsOneOrdinaryBlock) {
  Arena arena;
  arena.allocate(100);
  arena.allocate(50000);
  for (int i = 0; i < 100; ++i) arena.allocate(1000);
  arena.reset();
  EXPECT_EQ(arena.bytes_reserved(), Arena::kBlockBytes);
  for (int i = 0; i < 10; ++i) {
    arena.reset();
    arena.allocate(3000);
    EXPECT_EQ(arena.bytes_reserved(), Arena::kBlockBytes);
  }
}

TEST(Arena, ResetGivesTheSameRoomAgain) {
  Arena arena;
  void* first = arena.allocate(64);
  arena.reset();
  EXPECT_EQ(arena.allocate(64), first);
}

TEST(Arena, ResetKeepsNoLargeBlock) {
  Arena arena;
  arena.allocate(50000);
  arena.reset();
  EXPECT_EQ(arena.bytes_reserved(), 0U);
  EXPECT_EQ(arena.copy("after"), "after");
}

TEST(Arena, ReleaseFreesEverythingAndMayBeUsedAgain) {
  Arena arena;
  arena.allocate(100);
  arena.release();
  EXPECT_EQ(arena.bytes_reserved(), 0U);
  EXPECT_EQ(arena.copy("again"), "again");
  arena.release();
  arena.release();
  arena.reset();
  EXPECT_EQ(arena.bytes_reserved(), 0U);
}

TEST(Arena, AllocatesArrays) {
  Arena arena;
  arena.allocate(1, 1);
  std::span<std::uint64_t> numbers = arena.allocate_array<std::uint64_t>(1000);
  ASSERT_EQ(numbers.size(), 1000U);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(numbers.data()) % alignof(std::uint64_t), 0U);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = i;
  EXPECT_EQ(numbers[999], 999U);
}

}  // namespace
}  // namespace sandgate
