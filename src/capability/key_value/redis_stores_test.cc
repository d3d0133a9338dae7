// SPDX-License-Identifier: Apache-2.0
#include "capability/key_value/redis_stores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "capability/key_value/testing/redis_fixture.h"
#include "tests/support/raw_server.h"
#include "tests/support/redis_server.h"

namespace sandgate::capability {
namespace {

using test::RedisServer;
using testing::Asking;
using testing::KeyValueOperation;
using testing::KeyValueStatus;
using testing::LoopedRedis;

class RedisStoresTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!RedisServer::available()) GTEST_SKIP() << "there is no redis-server here: tools/test_tools fetches it";
    server = std::make_unique<RedisServer>();
  }
  // Slow machines need time to answer; tests that wait for silence say less.
  StateOptions options(OnUnavailable on_unavailable = OnUnavailable::kClosed, int timeout_ms = 20'000) const {
    StateOptions chosen;
    chosen.url = server->url();
    chosen.timeout = Milliseconds(timeout_ms);
    chosen.on_unavailable = on_unavailable;
    return chosen;
  }
  std::unique_ptr<RedisServer> server;
};

TEST_F(RedisStoresTest, TwoProcessesShareWhatHasOnePrefix) {
  LoopedRedis one(options());
  LoopedRedis two(options());
  StateOptions apart = options();
  apart.prefix = "other";
  LoopedRedis three(apart);
  EXPECT_EQ(Asking(one, "a").increment("n", 1).number, 1);
  EXPECT_EQ(Asking(two, "a").increment("n", 1).number, 2);
  EXPECT_EQ(Asking(three, "a").increment("n", 1).number, 1);
  EXPECT_EQ(server->ask("GET sandgate:1:a:n"), "$1\r\n2\r\n");
}

TEST_F(RedisStoresTest, EveryLoopIsServedByAsManyConnectionsAsAllowed) {
  StateOptions few = options();
  few.connections_max = 1;
  LoopedRedis stores(few, 3);
  for (unsigned loop = 0; loop < 3; ++loop) EXPECT_EQ(Asking(stores, "a", loop).increment("n", 1).number, loop + 1);
  EXPECT_THAT(server->ask("INFO clients"), ::testing::HasSubstr("connected_clients:2\r\n")) << "and the one that asks";
}

TEST_F(RedisStoresTest, ManyOperationsAtOnceAreAnsweredInTheirOrder) {
  LoopedRedis stores(options());
  Asking store(stores, "a");
  std::vector<std::string_view> keys = {"n"};
  testing::KeyValueRequest request;
  request.operation = KeyValueOperation::kIncrement;
  request.keys = keys;
  request.delta = 1;
  std::vector<std::future<Answer>> answers;
  for (int i = 0; i < 2000; ++i) answers.push_back(store.begin(request));
  for (int i = 0; i < 2000; ++i) {
    Answer answer = answers[static_cast<std::size_t>(i)].get();
    ASSERT_EQ(answer.status, KeyValueStatus::kOk) << answer.message;
    ASSERT_EQ(answer.number, i + 1);
  }
}

TEST_F(RedisStoresTest, AValueOfAnotherKindIsRefusedWithoutRedissWords) {
  LoopedRedis stores(options());
  server->ask("LPUSH sandgate:1:a:list x");
  Answer answer = Asking(stores, "a").increment("list", 1);
  EXPECT_EQ(answer.status, KeyValueStatus::kOther);
  EXPECT_EQ(answer.message, "the store refused the operation");
  EXPECT_EQ(Asking(stores, "a").increment("n", 1).number, 1) << "the connection is as good as before";
}

TEST_F(RedisStoresTest, ClosedAnswersWithAnErrorUntilItIsBack) {
  LoopedRedis stores(options());
  Asking store(stores, "a");
  EXPECT_EQ(store.increment("n", 1).number, 1);
  server->kill();
  ASSERT_TRUE(stores.wait_until_reachable(false));
  Answer answer = store.increment("n", 1);
  EXPECT_EQ(answer.status, KeyValueStatus::kOther);
  EXPECT_EQ(answer.message, kUnreachable);
  EXPECT_EQ(answer.source, AnswerSource::kUnavailable);
  server->start();
  ASSERT_TRUE(stores.wait_until_reachable(true));
  EXPECT_EQ(store.increment("n", 1).number, 1) << "this server keeps nothing";
}

TEST_F(RedisStoresTest, OpenAnswersAsAnEmptyStoreThatForgets) {
  LoopedRedis stores(options(OnUnavailable::kOpen));
  Asking store(stores, "a");
  store.set("k", "old");
  server->kill();
  ASSERT_TRUE(stores.wait_until_reachable(false));
  EXPECT_EQ(store.get("k"), std::nullopt);
  EXPECT_EQ(store.set("k", "new").status, KeyValueStatus::kOk);
  EXPECT_EQ(store.get("k"), std::nullopt);
  EXPECT_EQ(store.increment("n", 5).number, 5);
  EXPECT_EQ(store.increment("n", 5).number, 5);
  EXPECT_FALSE(store.ask(KeyValueOperation::kExists, {"k"}).yes);
  EXPECT_TRUE(store.swap("k", std::nullopt, "1").yes);
  EXPECT_FALSE(store.swap("k", "1", "2").yes);
  EXPECT_EQ(store.ask(KeyValueOperation::kGetMany, {"k", "n"}).entries.size(), 2U);
  EXPECT_TRUE(store.list(std::nullopt).keys.empty());
  EXPECT_EQ(store.increment("n", 1).source, AnswerSource::kDropped);
  server->start();
  ASSERT_TRUE(stores.wait_until_reachable(true));
  EXPECT_EQ(store.increment("n", 1).number, 1) << "nothing was written meanwhile";
}

TEST_F(RedisStoresTest, LocalCountsInThisProcessUntilItIsBack) {
  LoopedRedis stores(options(OnUnavailable::kLocal));
  Asking store(stores, "a");
  Asking other(stores, "b");
  store.increment("n", 10);
  for (int outage = 0; outage < 2; ++outage) {
    server->kill();
    ASSERT_TRUE(stores.wait_until_reachable(false));
    EXPECT_EQ(other.increment("n", 1).number, 1);
    EXPECT_EQ(store.increment("n", 1).number, 1) << "each outage begins anew";
    Answer answer = store.increment("n", 1);
    EXPECT_EQ(answer.number, 2);
    EXPECT_EQ(answer.source, AnswerSource::kLocal);
    EXPECT_THAT(store.list(std::nullopt).keys, ::testing::ElementsAre("n"));
    server->start();
    ASSERT_TRUE(stores.wait_until_reachable(true));
    EXPECT_EQ(store.get("n"), std::nullopt) << "what was counted here stays here";
  }
}

TEST_F(RedisStoresTest, OneThatHangsIsAwayAfterTheTimeout) {
  LoopedRedis stores(options(OnUnavailable::kClosed, 200));
  Asking store(stores, "a");
  ASSERT_TRUE(stores.wait_until_reachable(true));
  server->pause();
  Answer answer = store.increment("n", 1);
  server->resume();
  EXPECT_EQ(answer.message, kUnreachable);
  ASSERT_TRUE(stores.wait_until_reachable(true)) << "and it is asked again";
}

TEST_F(RedisStoresTest, AsksForItsPasswordAndItsDatabase) {
  RedisServer guarded("s3cret");
  StateOptions chosen = options();
  chosen.url = guarded.url() + "/2";
  LoopedRedis stores(chosen);
  EXPECT_EQ(Asking(stores, "a").increment("n", 7).number, 7);
  EXPECT_THAT(guarded.ask("INFO keyspace"), ::testing::HasSubstr("db2:keys=1"));
  chosen.url = "redis://:wrong@" + guarded.url().substr(guarded.url().find('@') + 1);
  LoopedRedis wrong(chosen);
  Asking refused(wrong, "a");
  EXPECT_EQ(refused.increment("n", 1).message, kUnreachable);
}

TEST(RedisStores, WhatIsNoRedisIsAway) {
  test::RawServer server(test::RawServer::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"));
  StateOptions options;
  options.url = "redis://" + server.authority();
  options.timeout = Milliseconds(200);
  LoopedRedis stores(options);
  EXPECT_EQ(Asking(stores, "a").increment("n", 1).message, kUnreachable);
}

TEST(RedisStores, AnEmptyPortIsAwayAndEndsInPeace) {
  StateOptions options;
  options.url = "redis://127.0.0.1:9";
  LoopedRedis stores(options);
  EXPECT_EQ(Asking(stores, "a").set("k", "v").message, kUnreachable);
  EXPECT_EQ(stores.reachable(), false);
}

}  // namespace
}  // namespace sandgate::capability
