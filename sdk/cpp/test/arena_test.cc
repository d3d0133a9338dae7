// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sandgate/guest/arena.h>

#include <cstdint>
#include <cstring>
#include <string_view>

namespace sandgate::guest {
namespace {

// 4 KiB in steps of 1 KiB, all of it granted or refused like memory.grow.
struct SmallMemory {
  static constexpr std::size_t kBytes = 4096;
  static constexpr std::size_t kStep = 1024;
  alignas(64) inline static char buffer[kBytes];
  inline static int grows = 0;

  char* begin() { return buffer; }
  char* grow_to(char* end) {
    ++grows;
    const auto wanted = reinterpret_cast<std::uintptr_t>(end) - reinterpret_cast<std::uintptr_t>(buffer);
    if (wanted > kBytes) return nullptr;
    return buffer + (wanted + kStep - 1) / kStep * kStep;
  }
};

class ArenaTest : public ::testing::Test {
 protected:
  ArenaTest() { SmallMemory::grows = 0; }
  Arena<SmallMemory> arena_;
};

std::uintptr_t address(const void* at) { return reinterpret_cast<std::uintptr_t>(at); }

TEST_F(ArenaTest, AlignsEachBlock) {
  for (const unsigned alignment : {1u, 2u, 4u, 8u, 16u, 64u}) {
    arena_.allocate(1, 1);
    EXPECT_EQ(address(arena_.allocate(3, alignment)) % alignment, 0u) << alignment;
  }
}

TEST_F(ArenaTest, BlocksDoNotOverlap) {
  char* const first = static_cast<char*>(arena_.allocate(100, 8));
  char* const second = static_cast<char*>(arena_.allocate(100, 8));
  EXPECT_GE(second, first + 100);
}

TEST_F(ArenaTest, GrowsOnlyWhenAStepIsUsedUp) {
  for (int i = 0; i != 16; ++i) arena_.allocate(64, 1);
  const int grows = SmallMemory::grows;
  arena_.allocate(1, 1);
  EXPECT_EQ(SmallMemory::grows, grows + 1);
}

TEST_F(ArenaTest, GrantsAllOfTheMemory) {
  char* const all = static_cast<char*>(arena_.allocate(SmallMemory::kBytes, 1));
  EXPECT_EQ(all, SmallMemory::buffer);
  EXPECT_NE(arena_.allocate(0, 1), nullptr);
}

TEST_F(ArenaTest, TheNewestBlockGrowsAndShrinksInPlace) {
  char* const block = static_cast<char*>(arena_.allocate(10, 1));
  std::memcpy(block, "0123456789", 10);
  EXPECT_EQ(arena_.reallocate(block, 10, 1, 1000), block);
  EXPECT_EQ(arena_.used(), 1000u);
  EXPECT_EQ(arena_.reallocate(block, 1000, 1, 5), block);
  EXPECT_EQ(arena_.used(), 5u);
  EXPECT_EQ(std::string_view(block, 5), "01234");
}

TEST_F(ArenaTest, AnOlderBlockIsCopied) {
  char* const block = static_cast<char*>(arena_.allocate(4, 1));
  std::memcpy(block, "abcd", 4);
  arena_.allocate(1, 1);
  char* const larger = static_cast<char*>(arena_.reallocate(block, 4, 1, 8));
  EXPECT_NE(larger, block);
  EXPECT_EQ(std::string_view(larger, 4), "abcd");
  char* const smaller = static_cast<char*>(arena_.reallocate(block, 4, 1, 2));
  EXPECT_EQ(std::string_view(smaller, 2), "ab");
}

TEST_F(ArenaTest, ReallocatesToAStricterAlignment) {
  arena_.allocate(1, 1);
  char* const block = static_cast<char*>(arena_.allocate(4, 1));
  std::memcpy(block, "abcd", 4);
  char* const aligned = static_cast<char*>(arena_.reallocate(block, 4, 64, 4));
  EXPECT_EQ(address(aligned) % 64, 0u);
  EXPECT_EQ(std::string_view(aligned, 4), "abcd");
}

TEST_F(ArenaTest, ResetGivesTheSameMemoryAgain) {
  void* const first = arena_.allocate(500, 8);
  arena_.reset();
  EXPECT_EQ(arena_.used(), 0u);
  EXPECT_EQ(arena_.allocate(500, 8), first);
}

TEST_F(ArenaTest, WhatLiesBelowTheFloorSurvivesAReset) {
  char* const kept = static_cast<char*>(arena_.allocate(100, 1));
  arena_.raise_floor();
  arena_.allocate(50, 1);
  arena_.reset();
  EXPECT_EQ(arena_.allocate(1, 1), kept + 100);
}

TEST_F(ArenaTest, OwnsWhatWasAllocatedSinceTheFloor) {
  char* const below = static_cast<char*>(arena_.allocate(100, 1));
  arena_.raise_floor();
  char* const block = static_cast<char*>(arena_.allocate(100, 1));
  const char outside = 'x';
  EXPECT_TRUE(arena_.owns(block, 100));
  EXPECT_TRUE(arena_.owns(block + 100, 0));
  EXPECT_FALSE(arena_.owns(block, 101));
  EXPECT_FALSE(arena_.owns(below, 1));
  EXPECT_FALSE(arena_.owns(&outside, 1));
  EXPECT_FALSE(arena_.owns(block, SIZE_MAX));
}

using ArenaDeathTest = ArenaTest;

TEST_F(ArenaDeathTest, TrapsWhenMemoryIsRefused) { EXPECT_DEATH(arena_.allocate(SmallMemory::kBytes + 1, 1), ""); }

TEST_F(ArenaDeathTest, TrapsWhenASizeWrapsAround) {
  arena_.allocate(10, 1);
  EXPECT_DEATH(arena_.allocate(SIZE_MAX, 1), "");
  EXPECT_DEATH(arena_.allocate(SIZE_MAX - 8, 16), "");
  void* const block = arena_.allocate(10, 1);
  EXPECT_DEATH(arena_.reallocate(block, 10, 1, SIZE_MAX), "");
}

TEST_F(ArenaDeathTest, TrapsForAnAlignmentThatIsNoPowerOfTwo) {
  EXPECT_DEATH(arena_.allocate(1, 0), "");
  EXPECT_DEATH(arena_.allocate(1, 3), "");
}

}  // namespace
}  // namespace sandgate::guest
