// SPDX-License-Identifier: Apache-2.0
#include "capability/key_value/sqlite_stores.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "capability/key_value/memory_store.h"
#include "capability/key_value/testing/asking.h"
#include "tests/support/temporary_folder.h"

namespace sandgate::capability {
namespace {

using testing::Asking;
using testing::KeyValueOperation;
using testing::KeyValueStatus;

std::unique_ptr<SqliteStores> open_stores(const std::string& path, std::size_t bytes_max = StoreLimits().bytes_max) {
  StoreLimits limits;
  limits.bytes_max = bytes_max;
  Result<std::unique_ptr<SqliteStores>> made = SqliteStores::create(path, limits);
  if (!made) ADD_FAILURE() << made.error().detail << ' ' << made.error().cause;
  return made ? std::move(*made) : nullptr;
}

TEST(SqliteStores, KeepsValuesOverARestart) {
  test::TemporaryFolder folder;
  {
    auto stores = open_stores(folder.path("state.db"));
    Asking(*stores, "other").set("k", "x");
    EXPECT_EQ(Asking(*stores, "a").increment("n", 41).number, 41);
  }
  auto stores = open_stores(folder.path("state.db"));
  EXPECT_EQ(Asking(*stores, "a").increment("n", 1).number, 42) << "by name: its number is another now";
  EXPECT_EQ(Asking(*stores, "other").get("k"), "x");
}

TEST(SqliteStores, IsNotForOtherUsers) {
  test::TemporaryFolder folder;
  auto stores = open_stores(folder.path("state.db"));
  Asking(*stores, "a").set("k", "x");
  for (const char* name : {"state.db", "state.db-wal"}) {
    struct stat status{};
    ASSERT_EQ(::stat(folder.path(name).c_str(), &status), 0) << name;
    EXPECT_EQ(status.st_mode & 0077, 0U) << name;
  }
}

TEST(SqliteStores, DropsWhatWasWrittenTheLongestAgoWhenItIsFull) {
  test::TemporaryFolder folder;
  auto stores = open_stores(folder.path("state.db"), 3 * (MemoryStore::kEntryBytes + 2));
  Asking store(*stores, "a");
  for (std::string_view key : {"a", "b", "c", "a"}) EXPECT_EQ(store.set(key, "1").status, KeyValueStatus::kOk);
  EXPECT_EQ(store.set("d", "1").status, KeyValueStatus::kOk);
  EXPECT_EQ(store.get("b"), std::nullopt);
  EXPECT_EQ(store.get("a"), "1");
  EXPECT_EQ(store.get("d"), "1");
  store.ask(KeyValueOperation::kDelete, {"a"});
  EXPECT_EQ(store.set("e", "1").status, KeyValueStatus::kOk);
  EXPECT_EQ(store.get("c"), "1") << "what was deleted makes room";
}

TEST(SqliteStores, RefusesAnEntryLargerThanTheStore) {
  test::TemporaryFolder folder;
  auto stores = open_stores(folder.path("state.db"), 1000);
  Asking store(*stores, "a");
  store.set("a", "1");
  EXPECT_EQ(store.set("b", std::string(1000, 'x')).message, kEntryTooLarge);
  EXPECT_EQ(store.ask(KeyValueOperation::kSetMany, {"a", "b"}, {"2", std::string(1000, 'x')}).message, kEntryTooLarge);
  EXPECT_EQ(store.swap("b", std::nullopt, std::string(1000, 'x')).message, kEntryTooLarge);
  EXPECT_EQ(store.get("a"), "1") << "nothing of it was done";
}

TEST(SqliteStores, SeveralOnOneFileCountTogether) {
  test::TemporaryFolder folder;
  constexpr int kTimes = 200;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&folder] {
      auto stores = open_stores(folder.path("state.db"));
      if (stores == nullptr) return;
      Asking store(*stores, "a");
      for (int n = 0; n < kTimes; ++n) EXPECT_EQ(store.increment("n", 1).status, KeyValueStatus::kOk);
    });
  }
  for (std::thread& thread : threads) thread.join();
  auto stores = open_stores(folder.path("state.db"));
  EXPECT_EQ(Asking(*stores, "a").get("n"), std::to_string(3 * kTimes));
}

TEST(SqliteStores, RefusesWhatIsNotItsFile) {
  test::TemporaryFolder folder;
  folder.write("text", std::string(5000, 'x'));
  Result<std::unique_ptr<SqliteStores>> text = SqliteStores::create(folder.path("text"), {});
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().kind, ErrorKind::kInvalid) << text.error().detail;
  {
    Result<platform::Database> other =
        platform::Database::open(folder.path("other.db"), platform::Database::IfMissing::kCreate);
    ASSERT_TRUE(other);
    ASSERT_TRUE(other->run("CREATE TABLE theirs (x)"));
  }
  Result<std::unique_ptr<SqliteStores>> other = SqliteStores::create(folder.path("other.db"), {});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::kInvalid);
  Result<std::unique_ptr<SqliteStores>> nowhere = SqliteStores::create(folder.path("no/where.db"), {});
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().kind, ErrorKind::kDenied);
}

TEST(SqliteStores, TellsWhoWaitsWhenItEnds) {
  test::TemporaryFolder folder;
  std::atomic<int> destroyed{0};
  constexpr int kAsked = 500;
  {
    auto stores = open_stores(folder.path("state.db"));
    std::uint64_t bucket = *stores->open("a");
    std::vector<std::string_view> keys = {"n"};
    sandbox::KeyValueRequest request;
    request.operation = KeyValueOperation::kIncrement;
    request.bucket = bucket;
    request.keys = keys;
    request.delta = 1;
    for (int i = 0; i < kAsked; ++i) {
      auto held = std::shared_ptr<void>(nullptr, [&destroyed](void*) { ++destroyed; });
      stores->serve(0, request, [held = std::move(held)](Answer) {});
    }
  }
  EXPECT_EQ(destroyed, kAsked) << "each operation is answered or given up, none is kept";
}

}  // namespace
}  // namespace sandgate::capability
