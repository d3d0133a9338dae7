// SPDX-License-Identifier: Apache-2.0
#include "base/timer_wheel.h"

#include <gtest/gtest.h>

#include <memory>

namespace sandgate {
namespace {

class WheelLoop final : public Loop {
 public:
  unsigned index() const override { return 0; }
  void post(std::function<void()> job) override { job(); }
  void next_turn(void (*turn)(void*), void* owner) override { turn(owner); }
  Nanoseconds now() const override { return now_; }
  Nanoseconds precise_now() const override { return now_; }
  void timer_armed(Timer& timer, Nanoseconds deadline) override { wheel_.arm(timer, deadline); }
  void timer_destroyed(Timer& timer) override { wheel_.remove(timer); }

  void advance(Milliseconds by) {
    now_ += by;
    wheel_.fire_due(now_);
  }
  std::optional<Nanoseconds> next_due() const { return wheel_.next_due(); }

 private:
  Nanoseconds now_{std::chrono::seconds(100)};
  TimerWheel wheel_{now_};
};

struct Counter {
  explicit Counter(Loop& loop) : timer(loop, [](void* owner) { ++static_cast<Counter*>(owner)->fired; }, this) {}
  int fired = 0;
  Timer timer;
};

TEST(TimerWheel, FiresOnceAfterTheDelayAndNeverEarly) {
  WheelLoop loop;
  Counter counter(loop);
  counter.timer.arm(Milliseconds(10));
  loop.advance(Milliseconds(9));
  EXPECT_EQ(counter.fired, 0);
  loop.advance(Milliseconds(7));
  EXPECT_EQ(counter.fired, 1);
  EXPECT_FALSE(counter.timer.armed());
  loop.advance(Milliseconds(5000));
  EXPECT_EQ(counter.fired, 1);
  EXPECT_FALSE(loop.next_due().has_value());
}

TEST(TimerWheel, KeepsDeadlinesBeyondOneTurn) {
  WheelLoop loop;
  Counter counter(loop);
  counter.timer.arm(std::chrono::seconds(60));
  for (int i = 0; i < 599; ++i) loop.advance(Milliseconds(100));
  EXPECT_EQ(counter.fired, 0);
  loop.advance(Milliseconds(110));
  EXPECT_EQ(counter.fired, 1);
}

TEST(TimerWheel, ArmingAgainMovesTheDeadlineBothWays) {
  WheelLoop loop;
  Counter counter(loop);
  counter.timer.arm(Milliseconds(100));
  counter.timer.arm(Milliseconds(1000));
  loop.advance(Milliseconds(500));
  EXPECT_EQ(counter.fired, 0);
  counter.timer.arm(Milliseconds(20));
  loop.advance(Milliseconds(30));
  EXPECT_EQ(counter.fired, 1);
}

TEST(TimerWheel, ForgetsDisarmedAndDestroyedTimers) {
  WheelLoop loop;
  Counter counter(loop);
  auto gone = std::make_unique<Counter>(loop);
  counter.timer.arm(Milliseconds(10));
  gone->timer.arm(Milliseconds(10));
  counter.timer.disarm();
  gone.reset();
  loop.advance(Milliseconds(50));
  EXPECT_EQ(counter.fired, 0);
}

TEST(TimerWheel, CallbackMayArmItselfAndDestroyOthers) {
  WheelLoop loop;
  struct Pair {
    explicit Pair(Loop& loop)
        : first(
              loop, [](void* owner) { static_cast<Pair*>(owner)->fire(); }, this),
          victim(std::make_unique<Counter>(loop)) {}
    void fire() {
      ++fired;
      victim.reset();
      if (fired < 3) first.arm(Milliseconds(8));
    }
    int fired = 0;
    Timer first;
    std::unique_ptr<Counter> victim;
  } pair(loop);
  pair.victim->timer.arm(Milliseconds(12));
  pair.first.arm(Milliseconds(8));
  for (int i = 0; i < 20; ++i) loop.advance(Milliseconds(4));
  EXPECT_EQ(pair.fired, 3);
}

TEST(TimerWheel, SurvivesALongStall) {
  WheelLoop loop;
  Counter near(loop);
  Counter far(loop);
  near.timer.arm(Milliseconds(10));
  far.timer.arm(std::chrono::hours(2));
  loop.advance(std::chrono::duration_cast<Milliseconds>(std::chrono::hours(1)));
  EXPECT_EQ(near.fired, 1);
  EXPECT_EQ(far.fired, 0);
  loop.advance(std::chrono::duration_cast<Milliseconds>(std::chrono::hours(1)) + Milliseconds(10));
  EXPECT_EQ(far.fired, 1);
}

}  // namespace
}  // namespace sandgate
