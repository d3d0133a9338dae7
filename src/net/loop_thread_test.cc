// SPDX-License-Identifier: Apache-2.0
#include "net/loop_thread.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "http/date.h"
#include "net/testing/loop_fixture.h"
#include "platform/clock.h"

namespace sandgate::net {
namespace {

using testing::LoopTest;
using testing::Signal;

class LoopThreadTest : public LoopTest {};

TEST_F(LoopThreadTest, JobsOfOneCallerKeepTheirOrder) {
  std::vector<int> order;
  for (int i = 0; i < 1000; ++i) loop.post([&order, i] { order.push_back(i); });
  on_loop([] {});
  ASSERT_EQ(order.size(), 1000U);
  for (std::size_t i = 0; i < order.size(); ++i) EXPECT_EQ(order[i], static_cast<int>(i));
}

TEST_F(LoopThreadTest, JobsFromManyThreadsAllRun) {
  constexpr int kThreads = 8;
  constexpr int kEach = 2000;
  std::array<int, kThreads> last{};
  int ran = 0;
  bool ordered = true;
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 1; i <= kEach; ++i) {
        loop.post([&, t, i] {
          ++ran;
          ordered = ordered && last[t] == i - 1;
          last[t] = i;
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  on_loop([] {});
  EXPECT_EQ(ran, kThreads * kEach);
  EXPECT_TRUE(ordered);
}

TEST_F(LoopThreadTest, AJobMayPostAJob) {
  Signal done;
  loop.post([&] { loop.post([&] { done.raise(); }); });
  EXPECT_TRUE(done.wait());
}

TEST(LoopThread, JobsPostedBeforeTheStartRunAfterWhatPreparesTheThread) {
  LoopThread loop(3);
  std::vector<int> order;
  loop.post([&order] { order.push_back(2); });
  loop.start([&order] { order.push_back(1); });
  loop.stop();
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
  EXPECT_EQ(loop.index(), 3U);
}

TEST(LoopThread, StopRunsTheJobsPostedBefore) {
  LoopThread loop(0);
  loop.start({});
  std::atomic<int> ran = 0;
  for (int i = 0; i < 100; ++i) loop.post([&ran] { ++ran; });
  loop.stop();
  EXPECT_EQ(ran, 100);
}

TEST(LoopThread, StopRunsTheTurnsThatFollow) {
  LoopThread loop(0);
  loop.start({});
  struct Chain {
    LoopThread& loop;
    int left;
  } chain{loop, 10};
  using Step = void (*)(void*);
  static constexpr Step kStep = [](void* owner) {
    auto& steps = *static_cast<Chain*>(owner);
    if (--steps.left > 0) steps.loop.next_turn(kStep, owner);
  };
  loop.post([&] { loop.next_turn(kStep, &chain); });
  loop.stop();
  EXPECT_EQ(chain.left, 0);
}

struct Yielder {
  LoopThread& loop;
  std::atomic<std::uint64_t> turns{0};
  bool stop = false;
  static void turn(void* owner) {
    auto& self = *static_cast<Yielder*>(owner);
    ++self.turns;
    if (!self.stop) self.loop.next_turn(&Yielder::turn, owner);
  }
};

TEST(LoopThread, StopsThoughSomebodyYieldsForEver) {
  LoopThread loop(0);
  loop.start({});
  Yielder yielder{loop};
  loop.post([&] { loop.next_turn(&Yielder::turn, &yielder); });
  loop.stop();
  EXPECT_GT(yielder.turns.load(), 0U);
}

TEST(LoopThread, AJobPostedAfterTheEndIsDestroyedUnrun) {
  LoopThread loop(0);
  loop.start({});
  loop.stop();
  auto held = std::make_shared<int>(1);
  bool ran = false;
  loop.post([held, &ran] { ran = true; });
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_FALSE(ran);
}

TEST(LoopThread, AJobThatNeverRanIsDestroyed) {
  auto held = std::make_shared<int>(1);
  {
    LoopThread loop(0);
    loop.post([held] {});
  }
  EXPECT_EQ(held.use_count(), 1);
}

TEST(LoopThread, StoppingTwiceOrUnstartedDoesNothing) {
  LoopThread loop(0);
  loop.stop();
  loop.start({});
  loop.stop();
  loop.stop();
}

TEST_F(LoopThreadTest, WhoYieldsForEverLeavesTimeForJobsTimersAndDescriptors) {
  Yielder yielder{loop};
  on_loop([&] { loop.next_turn(&Yielder::turn, &yielder); });
  Signal fired;
  std::unique_ptr<Timer> timer;
  on_loop([&] {
    timer = std::make_unique<Timer>(loop, [](void* signal) { static_cast<Signal*>(signal)->raise(); }, &fired);
    timer->arm(Milliseconds(1));
  });
  EXPECT_TRUE(fired.wait());
  class Told final : public Poller::Watcher {
   public:
    void ready(std::uint32_t events) override {
      if ((events & EPOLLIN) != 0) told.raise();
    }
    Signal told;
  } watcher;
  std::array<int, 2> ends{-1, -1};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
  platform::Descriptor mine(ends[0]);
  platform::Descriptor theirs(ends[1]);
  on_loop([&] { ASSERT_TRUE(loop.poller().watch(mine.get(), watcher)); });
  ASSERT_EQ(::send(theirs.get(), "x", 1, 0), 1);
  EXPECT_TRUE(watcher.told.wait());
  on_loop([&] {
    loop.poller().unwatch(mine.get(), watcher);
    timer.reset();
    yielder.stop = true;
  });
  on_loop([] {});
}

TEST_F(LoopThreadTest, NextTurnsRunInOrderOnceEach) {
  struct Entry {
    std::vector<int>& order;
    int number;
    static void run(void* owner) {
      auto& entry = *static_cast<Entry*>(owner);
      entry.order.push_back(entry.number);
    }
  };
  std::vector<int> order;
  std::array<Entry, 3> entries{{{order, 0}, {order, 1}, {order, 2}}};
  on_loop([&] {
    for (Entry& entry : entries) loop.next_turn(&Entry::run, &entry);
    EXPECT_TRUE(order.empty());
  });
  on_loop([] {});
  on_loop([] {});
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2}));
}

// A timer on the loop that notes when it fired.
struct Alarm {
  explicit Alarm(LoopThread& the_loop) : timer(the_loop, &Alarm::fire, this) {}
  static void fire(void* owner) {
    auto& alarm = *static_cast<Alarm*>(owner);
    alarm.fired_at = platform::monotonic_now();
    alarm.fired.raise();
  }
  Timer timer;
  Nanoseconds fired_at{0};
  Signal fired;
};

TEST_F(LoopThreadTest, ATimerNeverFiresEarly) {
  for (int delay_ms : {0, 1, 3, 4, 5, 11, 50}) {
    std::unique_ptr<Alarm> alarm;
    Nanoseconds armed_at{0};
    on_loop([&] {
      alarm = std::make_unique<Alarm>(loop);
      armed_at = platform::monotonic_now();
      alarm->timer.arm(Milliseconds(delay_ms));
    });
    ASSERT_TRUE(alarm->fired.wait()) << delay_ms;
    EXPECT_GE(alarm->fired_at - armed_at, Milliseconds(delay_ms)) << delay_ms;
    on_loop([&] { alarm.reset(); });
  }
}

TEST_F(LoopThreadTest, ATimerArmedEarlierThanTheOthersWakesTheLoop) {
  std::unique_ptr<Alarm> late;
  std::unique_ptr<Alarm> early;
  on_loop([&] {
    late = std::make_unique<Alarm>(loop);
    late->timer.arm(std::chrono::hours(1));
  });
  on_loop([&] {
    early = std::make_unique<Alarm>(loop);
    early->timer.arm(Milliseconds(5));
  });
  EXPECT_TRUE(early->fired.wait());
  EXPECT_EQ(late->fired.count(), 0);
  on_loop([&] {
    late.reset();
    early.reset();
  });
}

TEST_F(LoopThreadTest, ADisarmedOrDestroyedTimerDoesNotFire) {
  std::unique_ptr<Alarm> disarmed;
  std::unique_ptr<Alarm> witness;
  on_loop([&] {
    disarmed = std::make_unique<Alarm>(loop);
    disarmed->timer.arm(Milliseconds(5));
    disarmed->timer.disarm();
    Alarm destroyed(loop);
    destroyed.timer.arm(Milliseconds(5));
    witness = std::make_unique<Alarm>(loop);
    witness->timer.arm(Milliseconds(40));
  });
  EXPECT_TRUE(witness->fired.wait());
  EXPECT_EQ(disarmed->fired.count(), 0);
  on_loop([&] {
    disarmed.reset();
    witness.reset();
  });
}

TEST_F(LoopThreadTest, TheDateIsNow) {
  std::string date;
  std::int64_t before = platform::unix_coarse_now_s();
  on_loop([&] { date = loop.http_date(); });
  std::int64_t after = platform::unix_coarse_now_s();
  bool found = false;
  for (std::int64_t second = before; second <= after; ++second) found = found || date == http::format_date(second);
  EXPECT_TRUE(found) << date;
}

}  // namespace
}  // namespace sandgate::net
