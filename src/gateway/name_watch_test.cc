// SPDX-License-Identifier: Apache-2.0
#include "gateway/name_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <semaphore>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/fake_loop.h"

namespace sandgate::gateway {
namespace {

using net::Address;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Milliseconds kEvery{30'000};

Address at(const std::string& host) { return *net::resolve(host, 80); }

// Notes where it is told that its server is.
class NotingPool final : public net::ConnectionPool {
 public:
  explicit NotingPool(std::vector<std::string>& notes) : notes_(notes) {}
  Task<Result<net::Lease>> lease(Cancellation&, bool) override { co_return fail(ErrorKind::kUpstream, "none"); }
  void close_idle() override {}
  std::size_t idle() const override { return 0; }
  void close_oldest_idle() override {}
  void set_addresses(std::vector<Address> addresses) override {
    std::string note;
    for (const Address& address : addresses) note += (note.empty() ? "" : " ") + address.host_text();
    notes_.push_back(note);
  }

 private:
  void give_back(std::unique_ptr<net::ClientConnection>) override {}
  std::vector<std::string>& notes_;
};

// What the name means now; the resolver's thread asks.
struct Names {
  std::mutex mutex;
  Result<std::vector<Address>> now = std::vector<Address>{at("127.0.0.1")};
  std::string asked;
  std::atomic<int> times{0};
  std::counting_semaphore<> may_answer{1'000};

  void mean(Result<std::vector<Address>> addresses) {
    std::lock_guard lock(mutex);
    now = std::move(addresses);
  }
  Result<std::vector<Address>> look_up(std::string_view host, std::uint16_t port) {
    may_answer.acquire();
    std::lock_guard lock(mutex);
    asked = std::string(host) + ":" + std::to_string(port);
    ++times;
    return now;
  }
};

UpstreamOptions watched_options() {
  UpstreamOptions options;
  options.name = "workers";
  options.servers.resize(1);
  options.servers[0].host = "workers.test";
  options.servers[0].port = 80;
  options.resolve = kEvery;
  options.health_check.emplace();
  return options;
}

class NameWatchTest : public ::testing::Test {
 protected:
  NameWatchTest() {
    for (std::size_t i = 0; i < 2; ++i) server.on(*loops[i]).pool = std::make_unique<NotingPool>(pool_notes[i]);
    check = std::make_shared<HealthCheck>(server, std::make_unique<NotingPool>(check_notes), first);
    watch = std::make_shared<NameWatch>(server, resolver, first, loops, std::vector<Address>{at("127.0.0.1")});
    watch->start(upstream, check);
  }
  // The next look-up goes out and its answer comes; all loops hear of it.
  void next() {
    int before = names.times;
    loop_time();
    EXPECT_TRUE(first.run_until([this, before] { return names.times > before; }));
    settle();
  }
  void loop_time() { first.advance(kEvery + Milliseconds(10)); }
  // An answer is on its way to the loop when a question after it has been answered.
  void settle() {
    std::atomic<bool> passed{false};
    ASSERT_TRUE(resolver.ask("after", 1, [&](const auto&) { first.post([&passed] { passed = true; }); }));
    ASSERT_TRUE(first.run_until([&passed] { return passed.load(); }));
    first.run_until_idle();
    second.run_until_idle();
  }

  test::FakeLoop first{0};
  test::FakeLoop second{1};
  std::vector<Loop*> loops{&first, &second};
  std::vector<std::string> pool_notes[2];
  std::vector<std::string> check_notes;
  UpstreamCommon common{watched_options()};
  UpstreamServer server{common, 0, 2};
  Names names;
  net::Resolver resolver{[this](std::string_view host, std::uint16_t port) { return names.look_up(host, port); }};
  std::shared_ptr<void> upstream = std::make_shared<int>(0);  // what holds the server
  std::shared_ptr<HealthCheck> check;
  std::shared_ptr<NameWatch> watch;
};

TEST(IsAddress, TellsAddressesFromNames) {
  for (const char* host : {"127.0.0.1", "::1", "2001:db8::1"}) EXPECT_TRUE(is_address(host)) << host;
  for (const char* host : {"localhost", "127.0.0.1.test", "127.1", "[::1]", "", "1"}) EXPECT_FALSE(is_address(host));
}

TEST_F(NameWatchTest, TellsEveryLoopAndTheHealthCheckOfANewAddress) {
  names.mean(std::vector<Address>{at("127.0.0.2"), at("127.0.0.3")});
  next();
  EXPECT_THAT(pool_notes[0], ElementsAre("127.0.0.2 127.0.0.3"));
  EXPECT_THAT(pool_notes[1], ElementsAre("127.0.0.2 127.0.0.3"));
  EXPECT_THAT(check_notes, ElementsAre("127.0.0.2 127.0.0.3"));
  next();
  EXPECT_EQ(pool_notes[0].size(), 1U) << "once";
}

TEST_F(NameWatchTest, AsksForTheServerEveryNowAndThen) {
  EXPECT_EQ(names.times, 0) << "where it is was known at the start";
  loop_time();
  EXPECT_TRUE(first.run_until([this] { return names.times == 1; }));
  EXPECT_EQ(names.asked, "workers.test:80");
  next();
  EXPECT_THAT(pool_notes[0], IsEmpty()) << "nothing changed";
}

TEST_F(NameWatchTest, AnotherOrderIsNoChange) {
  names.mean(std::vector<Address>{at("127.0.0.1"), at("127.0.0.2")});
  next();
  names.mean(std::vector<Address>{at("127.0.0.2"), at("127.0.0.1")});
  next();
  EXPECT_EQ(pool_notes[0].size(), 1U);
  names.mean(std::vector<Address>{at("127.0.0.2")});
  next();
  EXPECT_THAT(pool_notes[0], ElementsAre("127.0.0.1 127.0.0.2", "127.0.0.2"));
}

TEST_F(NameWatchTest, ALookUpThatFailsChangesNothing) {
  names.mean(fail(ErrorKind::kNotFound, "there is no such name"));
  next();
  EXPECT_THAT(pool_notes[0], IsEmpty());
  names.mean(std::vector<Address>{at("127.0.0.2")});
  next();
  EXPECT_THAT(pool_notes[0], ElementsAre("127.0.0.2")) << "and it is asked again";
}

TEST_F(NameWatchTest, StoppingEndsTheQuestions) {
  watch->stop();
  loop_time();
  settle();
  EXPECT_EQ(names.asked, "after:1");
}

TEST_F(NameWatchTest, AnAnswerAfterTheStopIsNotHeard) {
  names.mean(std::vector<Address>{at("127.0.0.2")});
  while (names.may_answer.try_acquire()) {}
  loop_time();
  watch->stop();
  names.may_answer.release(1'000);
  settle();
  EXPECT_THAT(pool_notes[0], IsEmpty());
}

TEST_F(NameWatchTest, AnAnswerFindsNobodyWhenTheUpstreamIsGone) {
  names.mean(std::vector<Address>{at("127.0.0.2")});
  while (names.may_answer.try_acquire()) {}
  loop_time();
  std::weak_ptr<void> watched = upstream;
  upstream.reset();
  EXPECT_TRUE(watched.expired()) << "a question does not hold it";
  names.may_answer.release(1'000);
  settle();
  EXPECT_THAT(pool_notes[0], IsEmpty());
}

TEST_F(NameWatchTest, AnAnswerFindsNobodyWhenTheWatchIsGone) {
  names.mean(std::vector<Address>{at("127.0.0.2")});
  while (names.may_answer.try_acquire()) {}
  loop_time();
  watch.reset();
  names.may_answer.release(1'000);
  settle();
  EXPECT_THAT(pool_notes[0], IsEmpty());
}

}  // namespace
}  // namespace sandgate::gateway
