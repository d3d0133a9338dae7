// SPDX-License-Identifier: Apache-2.0
//
// What every kind of store does, the same for all of them.
#include "capability/key_value/stores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "capability/key_value/memory_stores.h"
#include "capability/key_value/sqlite_stores.h"
#include "capability/key_value/testing/asking.h"
#include "capability/key_value/testing/redis_fixture.h"
#include "tests/support/redis_server.h"
#include "tests/support/temporary_folder.h"

namespace sandgate::capability {
namespace {

using testing::Asking;
using testing::KeyValueOperation;
using testing::KeyValueStatus;

// A kind of store, and what it needs while it lives.
class Kind {
 public:
  virtual ~Kind() = default;
  virtual Stores& stores() = 0;
};

class InMemory final : public Kind {
 public:
  Stores& stores() override { return stores_; }

 private:
  MemoryStores stores_{StoreLimits()};
};

class InSqlite final : public Kind {
 public:
  InSqlite() {
    Result<std::unique_ptr<SqliteStores>> made = SqliteStores::create(folder_.path("state.db"), StoreLimits());
    SANDGATE_CHECK(made.has_value());
    stores_ = std::move(*made);
  }
  Stores& stores() override { return *stores_; }

 private:
  test::TemporaryFolder folder_;
  std::unique_ptr<SqliteStores> stores_;
};

class InRedis final : public Kind {
 public:
  InRedis() {
    StateOptions options;
    options.url = server_.url();
    options.timeout = std::chrono::seconds(20);
    stores_ = std::make_unique<testing::LoopedRedis>(options);
  }
  Stores& stores() override { return *stores_; }

 private:
  test::RedisServer server_;
  std::unique_ptr<testing::LoopedRedis> stores_;
};

struct Named {
  const char* name;
  std::unique_ptr<Kind> (*make)();  // null when it cannot be had here
};

template <typename T>
std::unique_ptr<Kind> make() {
  return std::make_unique<T>();
}

std::unique_ptr<Kind> make_redis() { return test::RedisServer::available() ? make<InRedis>() : nullptr; }

class EveryStore : public ::testing::TestWithParam<Named> {
 protected:
  void SetUp() override {
    kind_ = GetParam().make();
    if (kind_ == nullptr) GTEST_SKIP() << "there is no " << GetParam().name << " here: tools/test_tools fetches it";
  }
  Stores& stores() { return kind_->stores(); }

 private:
  std::unique_ptr<Kind> kind_;
};

TEST_P(EveryStore, KeepsWhatWasSet) {
  Asking store(stores(), "a");
  EXPECT_EQ(store.get("k"), std::nullopt);
  EXPECT_EQ(store.set("k", "1").status, KeyValueStatus::kOk);
  EXPECT_EQ(store.get("k"), "1");
  std::string bytes("\0\r\n\xff", 4);
  EXPECT_EQ(store.set("k", bytes).status, KeyValueStatus::kOk);
  EXPECT_EQ(store.get("k"), bytes);
  EXPECT_EQ(store.set("k", "").status, KeyValueStatus::kOk);
  EXPECT_EQ(store.get("k"), "") << "no bytes are a value";
}

TEST_P(EveryStore, KeysAreAnyText) {
  Asking store(stores(), "a");
  for (std::string_view key :
       {std::string_view(""), std::string_view("*"), std::string_view("[x]\\?"), std::string_view("a b\r\n"),
        std::string_view("nul\0end", 7), std::string_view("\xc3\xa4")}) {
    EXPECT_EQ(store.set(key, key).status, KeyValueStatus::kOk);
    EXPECT_EQ(store.get(key), std::string(key));
  }
  EXPECT_EQ(store.get("[x]"), std::nullopt);
}

TEST_P(EveryStore, DeletesAndTellsWhatExists) {
  Asking store(stores(), "a");
  EXPECT_FALSE(store.ask(KeyValueOperation::kExists, {"k"}).yes);
  store.set("k", "1");
  EXPECT_TRUE(store.ask(KeyValueOperation::kExists, {"k"}).yes);
  EXPECT_EQ(store.ask(KeyValueOperation::kDelete, {"k"}).status, KeyValueStatus::kOk);
  EXPECT_EQ(store.ask(KeyValueOperation::kDelete, {"k"}).status, KeyValueStatus::kOk)
      << "what is not there is no error";
  EXPECT_FALSE(store.ask(KeyValueOperation::kExists, {"k"}).yes);
}

TEST_P(EveryStore, StoresDoNotSeeEachOther) {
  Asking one(stores(), "a");
  Asking other(stores(), "a:1");
  Asking third(stores(), "");
  one.set("1:k", "one");
  other.set("k", "other");
  third.set("a:1:k", "third");
  EXPECT_EQ(one.get("1:k"), "one");
  EXPECT_EQ(other.get("k"), "other");
  EXPECT_EQ(one.get("k"), std::nullopt);
  EXPECT_EQ(third.get("k"), std::nullopt);
  EXPECT_EQ(Asking(stores(), "a").get("1:k"), "one") << "the same name is the same store";
}

TEST_P(EveryStore, CountsInDecimalNumbers) {
  Asking store(stores(), "a");
  EXPECT_EQ(store.increment("n", 5).number, 5);
  EXPECT_EQ(store.increment("n", -7).number, -2);
  EXPECT_EQ(store.get("n"), "-2");
  store.set("n", "41");
  EXPECT_EQ(store.increment("n", 1).number, 42);
}

TEST_P(EveryStore, RefusesToCountWhatIsNoNumber) {
  Asking store(stores(), "a");
  for (std::string_view text : {"seven", "", "+1", "01", "-0", " 1", "1 ", "1.0", "9223372036854775808"}) {
    store.set("n", text);
    Answer answer = store.increment("n", 1);
    EXPECT_EQ(answer.status, KeyValueStatus::kOther) << '"' << text << '"';
    EXPECT_EQ(answer.message, kNoNumber);
    EXPECT_EQ(store.get("n"), text);
  }
}

TEST_P(EveryStore, RefusesToCountBeyond64Bits) {
  Asking store(stores(), "a");
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  EXPECT_EQ(store.increment("n", kMost).number, kMost);
  Answer answer = store.increment("n", 1);
  EXPECT_EQ(answer.status, KeyValueStatus::kOther);
  EXPECT_EQ(answer.message, kBeyond64Bits);
  EXPECT_EQ(store.get("n"), std::to_string(kMost));
  EXPECT_EQ(store.increment("m", kLeast).number, kLeast);
  EXPECT_EQ(store.increment("m", -1).status, KeyValueStatus::kOther);
}

TEST_P(EveryStore, SwapsOnlyWhatIsAsExpected) {
  Asking store(stores(), "a");
  EXPECT_FALSE(store.swap("k", "0", "1").yes);
  EXPECT_FALSE(store.swap("k", "", "1").yes) << "no value is not an empty one";
  EXPECT_TRUE(store.swap("k", std::nullopt, "1").yes);
  EXPECT_FALSE(store.swap("k", std::nullopt, "2").yes);
  EXPECT_TRUE(store.swap("k", "1", "2").yes);
  EXPECT_EQ(store.get("k"), "2");
}

TEST_P(EveryStore, ServesBatchesInTheirOrder) {
  Asking store(stores(), "a");
  EXPECT_EQ(store.ask(KeyValueOperation::kSetMany, {"x", "y", "x"}, {"1", "2", "3"}).status, KeyValueStatus::kOk);
  Answer answer = store.ask(KeyValueOperation::kGetMany, {"y", "none", "x", "y"});
  ASSERT_EQ(answer.status, KeyValueStatus::kOk) << answer.message;
  EXPECT_THAT(answer.entries,
              ::testing::ElementsAre(std::string("2"), std::nullopt, std::string("3"), std::string("2")));
  EXPECT_EQ(store.ask(KeyValueOperation::kDeleteMany, {"x", "none", "y"}).status, KeyValueStatus::kOk);
  EXPECT_EQ(store.get("x"), std::nullopt);
}

TEST_P(EveryStore, AReplyHasABound) {
  Asking store(stores(), "a");
  std::string megabyte(std::size_t{1} << 20, 'x');
  std::vector<std::string> names;
  for (int i = 0; i < 9; ++i) names.push_back("k" + std::to_string(i));
  for (const std::string& name : names) ASSERT_EQ(store.set(name, megabyte).status, KeyValueStatus::kOk);
  EXPECT_EQ(store.get("k3"), megabyte);
  std::vector<std::string_view> keys(names.begin(), names.end());
  Answer answer = store.ask(KeyValueOperation::kGetMany, keys);
  EXPECT_EQ(answer.status, KeyValueStatus::kOther);
  EXPECT_EQ(answer.message, kReplyTooLarge);
  keys.resize(8);
  EXPECT_EQ(store.ask(KeyValueOperation::kGetMany, keys).entries.size(), 8U);
}

TEST_P(EveryStore, ListsItsKeysPageByPage) {
  Asking store(stores(), "li*st");
  Asking other(stores(), "li-st");
  other.set("not-this", "1");
  std::set<std::string> expected;
  std::vector<std::string> names;
  for (int i = 0; i < 1280; ++i) names.push_back("key-" + std::to_string(i));
  for (std::size_t begin = 0; begin < names.size(); begin += 128) {
    std::vector<std::string_view> keys(names.begin() + static_cast<std::ptrdiff_t>(begin),
                                       names.begin() + static_cast<std::ptrdiff_t>(begin + 128));
    ASSERT_EQ(store.ask(KeyValueOperation::kSetMany, keys, keys).status, KeyValueStatus::kOk);
  }
  std::set<std::string> found;
  std::optional<std::string> cursor;
  int pages = 0;
  do {
    Answer page = store.list(cursor);
    ASSERT_EQ(page.status, KeyValueStatus::kOk) << page.message;
    EXPECT_LE(page.keys.size(), sandbox::KeyValueReply::kKeysMax);
    found.insert(page.keys.begin(), page.keys.end());
    cursor = page.cursor;
    ASSERT_LT(++pages, 1000);
  } while (cursor);
  EXPECT_EQ(found, std::set<std::string>(names.begin(), names.end()));
  EXPECT_GT(pages, 1);
}

TEST_P(EveryStore, RefusesACursorThatIsNotItsOwn) {
  Asking store(stores(), "a");
  for (std::string_view cursor : {"x", "", "-1", "1 2", "99999999999999999999"}) {
    EXPECT_EQ(store.list(cursor).message, kForeignCursor) << cursor;
  }
}

TEST_P(EveryStore, KnowsOnlyStoresThatWereOpened) {
  testing::KeyValueRequest request;
  request.operation = KeyValueOperation::kListKeys;
  request.bucket = 7;
  auto promise = std::make_shared<std::promise<Answer>>();
  stores().serve(0, request, [promise](Answer answer) { promise->set_value(std::move(answer)); });
  EXPECT_EQ(promise->get_future().get().status, KeyValueStatus::kNoSuchStore);
  for (std::size_t i = 0; i < StoreLimits().stores_max; ++i) EXPECT_TRUE(stores().open("s" + std::to_string(i)));
  EXPECT_FALSE(stores().open("one more"));
}

TEST_P(EveryStore, CountsRightFromManyThreads) {
  constexpr int kThreads = 4;
  constexpr int kTimes = 250;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([this] {
      Asking store(stores(), "a");
      for (int n = 0; n < kTimes; ++n) EXPECT_EQ(store.increment("n", 1).status, KeyValueStatus::kOk);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Asking(stores(), "a").get("n"), std::to_string(kThreads * kTimes));
}

INSTANTIATE_TEST_SUITE_P(Kinds, EveryStore,
                         ::testing::Values(Named{"memory", &make<InMemory>}, Named{"sqlite", &make<InSqlite>},
                                           Named{"redis", &make_redis}),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

}  // namespace
}  // namespace sandgate::capability
