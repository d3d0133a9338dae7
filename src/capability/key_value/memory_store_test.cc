// SPDX-License-Identifier: Apache-2.0
#include "capability/key_value/memory_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <thread>
#include <vector>

namespace sandgate::capability {
namespace {

using testing::ElementsAre;

constexpr std::size_t kPlenty = 1 << 20;

TEST(MemoryStore, KeepsWhatWasSet) {
  MemoryStore store(kPlenty);
  EXPECT_EQ(store.get("a"), std::nullopt);
  EXPECT_TRUE(store.set("a", "1"));
  EXPECT_TRUE(store.set("a", std::string("2\0", 2)));
  EXPECT_EQ(store.get("a"), std::string("2\0", 2));
  EXPECT_TRUE(store.exists("a"));
  store.remove("a");
  store.remove("a");
  EXPECT_FALSE(store.exists("a"));
  EXPECT_EQ(store.bytes(), 0U);
}

TEST(MemoryStore, IncrementsDecimalNumbers) {
  MemoryStore store(kPlenty);
  EXPECT_EQ(store.increment("n", 5), 5);
  EXPECT_EQ(store.increment("n", -7), -2);
  EXPECT_EQ(store.get("n"), "-2");
  store.set("n", "seven");
  EXPECT_FALSE(store.increment("n", 1));
  store.set("n", std::to_string(std::numeric_limits<std::int64_t>::max()));
  EXPECT_FALSE(store.increment("n", 1));
  EXPECT_EQ(store.get("n"), std::to_string(std::numeric_limits<std::int64_t>::max()));
}

TEST(MemoryStore, SwapsOnlyWhatIsAsExpected) {
  MemoryStore store(kPlenty);
  EXPECT_EQ(store.compare_and_swap("a", "0", "1"), false);
  EXPECT_EQ(store.compare_and_swap("a", std::nullopt, "1"), true);
  EXPECT_EQ(store.compare_and_swap("a", std::nullopt, "2"), false);
  EXPECT_EQ(store.compare_and_swap("a", "1", "2"), true);
  EXPECT_EQ(store.get("a"), "2");
}

TEST(MemoryStore, DropsWhatWasUsedTheLongestAgoWhenItIsFull) {
  MemoryStore store(3 * (MemoryStore::kEntryBytes + 2));
  for (std::string_view key : {"a", "b", "c"}) EXPECT_TRUE(store.set(key, "1"));
  EXPECT_TRUE(store.exists("a"));
  EXPECT_TRUE(store.set("d", "1"));
  EXPECT_FALSE(store.exists("b"));
  EXPECT_TRUE(store.exists("a"));
  EXPECT_LE(store.bytes(), 3 * (MemoryStore::kEntryBytes + 2));
}

TEST(MemoryStore, RefusesAnEntryLargerThanItself) {
  MemoryStore store(1000);
  EXPECT_TRUE(store.set("a", "1"));
  EXPECT_FALSE(store.set("b", std::string(1000, 'x')));
  EXPECT_FALSE(store.compare_and_swap("b", std::nullopt, std::string(1000, 'x')));
  EXPECT_EQ(store.get("a"), "1") << "nothing was dropped for it";
}

TEST(MemoryStore, ListsKeysInPagesInTheOrderInWhichTheyCame) {
  MemoryStore store(kPlenty);
  for (std::string_view key : {"b", "a", "d", "c"}) store.set(key, "1");
  MemoryStore::Page first = store.list(0, 2, kPlenty);
  EXPECT_THAT(first.keys, ElementsAre("b", "a"));
  ASSERT_TRUE(first.cursor);
  store.get("b");
  store.remove("a");
  store.set("e", "1");
  MemoryStore::Page second = store.list(*first.cursor, 2, kPlenty);
  EXPECT_THAT(second.keys, ElementsAre("d", "c"));
  MemoryStore::Page third = store.list(*second.cursor, 2, kPlenty);
  EXPECT_THAT(third.keys, ElementsAre("e"));
  EXPECT_FALSE(third.cursor);
}

TEST(MemoryStore, APageHasABoundInBytes) {
  MemoryStore store(kPlenty);
  for (std::string_view key : {"aaaa", "bbbb", "cccc"}) store.set(key, "");
  EXPECT_THAT(store.list(0, 10, 8).keys, ElementsAre("aaaa", "bbbb"));
}

TEST(MemoryStore, CountsRightFromManyThreads) {
  MemoryStore store(kPlenty);
  constexpr int kThreads = 4;
  constexpr int kTimes = 2000;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&store] {
      for (int n = 0; n < kTimes; ++n) (void)store.increment("n", 1);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(store.get("n"), std::to_string(kThreads * kTimes));
}

}  // namespace
}  // namespace sandgate::capability
