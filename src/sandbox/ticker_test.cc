// SPDX-License-Identifier: Apache-2.0
#include "sandbox/ticker.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace sandgate::sandbox {
namespace {

// Real time, generously: a shared machine may hold a thread back for long.
template <typename Condition>
bool eventually(Condition&& condition) {
  for (int i = 0; i < 20'000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

TEST(Ticker, TicksWhileAGuestRuns) {
  std::atomic<unsigned> ticks = 0;
  Ticker ticker([&] { ++ticks; });
  Ticker::Runner runner(ticker);
  runner.enter();
  EXPECT_TRUE(eventually([&] { return ticks > 3 * Ticker::kQuietTicks; }));
  EXPECT_FALSE(ticker.asleep());
  runner.leave();
}

TEST(Ticker, SleepsWhenNoneHasRunForAWhile) {
  std::atomic<unsigned> ticks = 0;
  Ticker ticker([&] { ++ticks; });
  Ticker::Runner runner(ticker);
  EXPECT_TRUE(eventually([&] { return ticker.asleep(); }));
  unsigned before = ticks;
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(ticks, before);
}

TEST(Ticker, WakesForTheFirstGuest) {
  std::atomic<unsigned> ticks = 0;
  Ticker ticker([&] { ++ticks; });
  Ticker::Runner runner(ticker);
  ASSERT_TRUE(eventually([&] { return ticker.asleep(); }));
  unsigned before = ticks;
  runner.enter();
  EXPECT_TRUE(eventually([&] { return ticks > before; }));
  runner.leave();
}

TEST(Ticker, StaysAwakeForCallsThatComeAndGo) {
  std::atomic<unsigned> ticks = 0;
  Ticker ticker([&] { ++ticks; });
  Ticker::Runner runner(ticker);
  bool slept = false;
  while (ticks < 2 * Ticker::kQuietTicks) {
    runner.enter();
    runner.leave();
    slept = slept || ticker.asleep();
  }
  EXPECT_FALSE(slept);
}

// A guest that enters as the ticker falls asleep must get its tick, or it would run for ever.
TEST(Ticker, LosesNoWake) {
  std::atomic<std::uint64_t> ticks = 0;
  Ticker ticker([&] { ++ticks; });
  std::vector<std::thread> loops;
  std::atomic<bool> lost = false;
  for (int loop = 0; loop < 2; ++loop) {
    loops.emplace_back([&, loop] {
      Ticker::Runner runner(ticker);
      for (int i = 0; i < 15 && !lost; ++i) {
        // Around the moment at which the ticker falls asleep.
        std::this_thread::sleep_for(std::chrono::microseconds(52'000 + 700 * i + 300 * loop));
        std::uint64_t before = ticks;
        runner.enter();
        if (!eventually([&] { return ticks > before; })) lost = true;
        runner.leave();
      }
    });
  }
  for (std::thread& loop : loops) loop.join();
  EXPECT_FALSE(lost);
}

}  // namespace
}  // namespace sandgate::sandbox
