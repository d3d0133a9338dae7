// SPDX-License-Identifier: Apache-2.0
//
// Real guests on a fake loop: real milliseconds of CPU, but the loop's turns and its clock are the test's.
#include "sandbox/run_queue.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "sandbox/testing/guests.h"
#include "sandbox/ticker.h"

namespace sandgate::sandbox {
namespace {

using testing::GuestLoop;
using testing::RequestCall;
using testing::test_engine;

// Long enough that the engine's own clock ends nothing in a slow run.
constexpr Budget kLong{.wall = Milliseconds(60'000)};

class RunQueueTest : public testing::GuestTest {};
class InstanceTest : public testing::GuestTest {};

// On a busy machine any guest may be interrupted and so meet a tick; then it yields. Hence the attempts.
TEST_F(RunQueueTest, EndsAnOrdinaryCallAtItsFirstPollWithoutATurn) {
  GuestLoop guests;
  bool at_first_poll = false;
  for (int attempt = 0; attempt < 50 && !at_first_poll; ++attempt) {
    RequestCall call(guests, guests.instance("continue_all", kLong));
    call.start();
    at_first_poll = call.ended() && !guests.loop.owes_turn();
    EXPECT_TRUE(call.finish().has_value());
    guests.loop.run_until_idle();
  }
  EXPECT_TRUE(at_first_poll);
  EXPECT_EQ(guests.queue->suspended(), 0U);
}

TEST_F(RunQueueTest, SuspendsAGuestThatSpinsAndLetsOthersFinish) {
  GuestLoop guests;
  RequestCall spinning(guests, guests.instance("loop_forever", kLong));
  spinning.start();
  ASSERT_FALSE(spinning.ended());
  EXPECT_EQ(guests.queue->suspended(), 1U);
  for (int i = 0; i < 20; ++i) {
    RequestCall quick(guests, guests.instance("continue_all", kLong));
    quick.start();
    EXPECT_TRUE(quick.finish().has_value());
    guests.loop.turn();
  }
  EXPECT_FALSE(spinning.ended());
  EXPECT_GT(spinning.instance().busy(), Milliseconds(1));
}

TEST_F(RunQueueTest, ResumesOneYieldedGuestPerTurn) {
  GuestLoop guests;
  RequestCall first(guests, guests.instance("loop_forever", kLong));
  RequestCall second(guests, guests.instance("loop_forever", kLong));
  first.start();
  second.start();
  for (int i = 0; i < 6; ++i) {
    Nanoseconds first_before = first.instance().busy();
    Nanoseconds second_before = second.instance().busy();
    ASSERT_TRUE(guests.loop.turn());
    bool first_ran = first.instance().busy() != first_before;
    bool second_ran = second.instance().busy() != second_before;
    EXPECT_NE(first_ran, second_ran) << "turn " << i;
  }
}

TEST_F(RunQueueTest, RunsWhoHasUsedLeastFirst) {
  GuestLoop guests;
  RequestCall old(guests, guests.instance("loop_forever", kLong));
  old.start();
  for (int i = 0; i < 30; ++i) guests.loop.turn();
  RequestCall fresh(guests, guests.instance("loop_forever", kLong));
  fresh.start();
  Nanoseconds old_busy = old.instance().busy();
  // The fresh one has all turns until it has used as much.
  for (int i = 0; i < 5 && fresh.instance().busy() < old_busy; ++i) {
    Nanoseconds fresh_busy = fresh.instance().busy();
    guests.loop.turn();
    EXPECT_EQ(old.instance().busy(), old_busy);
    EXPECT_GT(fresh.instance().busy(), fresh_busy);
  }
}

TEST_F(RunQueueTest, FinishesAGuestThatComputesLongerThanASlice) {
  GuestLoop guests;
  RequestCall call(guests, guests.instance("slow_50ms", kLong));
  call.start();
  EXPECT_FALSE(call.ended());
  EXPECT_TRUE(call.finish().has_value());
  EXPECT_EQ(guests.queue->suspended(), 0U);
}

TEST_F(RunQueueTest, EndsASpinningGuestAtItsDeadline) {
  GuestLoop guests;
  RequestCall call(guests, guests.instance("loop_forever", {.wall = Milliseconds(50)}));
  call.start();
  ASSERT_FALSE(call.finish().has_value());
  EXPECT_EQ(call.failure(), FailureKind::kDeadline);
}

TEST_F(RunQueueTest, EndsASpinningGuestAtItsCpuBudget) {
  GuestLoop guests;
  RequestCall call(guests, guests.instance("loop_forever", {.wall = Milliseconds(60'000), .cpu = Milliseconds(20)}));
  call.start();
  ASSERT_FALSE(call.finish().has_value());
  EXPECT_EQ(call.failure(), FailureKind::kCpu);
}

TEST_F(RunQueueTest, EndsACallThatOthersOvertakeAtItsDeadline) {
  GuestLoop guests;
  RequestCall overtaken(guests, guests.instance("loop_forever", kLong));
  overtaken.start();
  for (int i = 0; i < 10; ++i) guests.loop.turn();
  RequestCall other(guests, guests.instance("loop_forever", {.wall = Milliseconds(120'000)}));
  guests.loop.advance(Milliseconds(59'999));
  other.start();
  guests.loop.turn();
  EXPECT_FALSE(overtaken.ended());
  guests.loop.advance(Milliseconds(1));
  guests.loop.turn();
  ASSERT_TRUE(overtaken.ended());
  EXPECT_EQ(overtaken.failure(), FailureKind::kDeadline);
  EXPECT_FALSE(other.ended());
}

TEST_F(RunQueueTest, CancelsAYieldedGuestInTheNextTurn) {
  GuestLoop guests;
  RequestCall call(guests, guests.instance("loop_forever", kLong));
  call.start();
  call.cancellation.cancel(ErrorKind::kDisconnected, "the client left");
  // Whoever cancels is not surprised by the coroutine that waits.
  EXPECT_FALSE(call.ended());
  guests.loop.turn();
  ASSERT_TRUE(call.ended());
  EXPECT_EQ(call.failure(), FailureKind::kCancelled);
}

TEST_F(RunQueueTest, DoesNotStartACancelledCall) {
  GuestLoop guests;
  RequestCall call(guests, guests.instance("loop_forever", kLong));
  call.cancellation.cancel(ErrorKind::kDisconnected, "the client left");
  call.start();
  ASSERT_TRUE(call.ended());
  EXPECT_EQ(call.failure(), FailureKind::kCancelled);
  EXPECT_EQ(call.instance().busy(), Nanoseconds(0));
}

TEST_F(RunQueueTest, ReportsWhyAGuestFailed) {
  struct Case {
    const char* guest;
    FailureKind kind;
  };
  for (const Case& expected :
       {Case{"trap_always", FailureKind::kTrap}, Case{"stack_recursion", FailureKind::kStack},
        Case{"memory_eater", FailureKind::kMemory}, Case{"bad_utf8_result", FailureKind::kBadResult}}) {
    GuestLoop guests;
    RequestCall call(guests, guests.instance(expected.guest, {.memory_bytes = 16 << 20, .wall = Milliseconds(60'000)}));
    call.start();
    ASSERT_FALSE(call.finish().has_value()) << expected.guest;
    EXPECT_EQ(failure_kind_name(call.failure()), failure_kind_name(expected.kind))
        << expected.guest << ": " << call.outcome->error().detail;
    EXPECT_FALSE(call.outcome->error().detail.empty()) << expected.guest;
  }
}

TEST_F(RunQueueTest, NamesTheTrap) {
  GuestLoop guests;
  RequestCall call(guests, guests.instance("trap_always", kLong));
  call.start();
  ASSERT_FALSE(call.finish().has_value());
  EXPECT_TRUE(call.outcome->error().detail.starts_with("unreachable")) << call.outcome->error().detail;
}

TEST_F(RunQueueTest, WorksOnAfterAnInstanceIsDroppedBetweenCalls) {
  GuestLoop guests;
  {
    RequestCall call(guests, guests.instance("loop_forever", kLong));
    call.start();
  }  // cancelled, finished, dropped
  EXPECT_EQ(guests.queue->suspended(), 0U);
  RequestCall next(guests, guests.instance("continue_all", kLong));
  next.start();
  EXPECT_TRUE(next.finish().has_value());
}

Task<void> run_only(RunQueue& queue, Instance& instance, Cancellation& cancellation) {
  std::expected<void, GuestFailure> outcome = co_await queue.run(instance, cancellation);
  (void)outcome;
}

TEST_F(RunQueueTest, ForgetsACallWhoseTaskIsDestroyed) {
  GuestLoop guests;
  Cancellation cancellation;
  Instance instance = guests.instance("loop_forever", kLong);
  sg_request request{};
  ASSERT_EQ(::sg_instance_start_on_request(instance.handle(), &request), nullptr);
  {
    Task<void> task = run_only(*guests.queue, instance, cancellation);
    task.await_suspend(std::noop_coroutine()).resume();
    EXPECT_EQ(guests.queue->suspended(), 1U);
  }
  EXPECT_EQ(guests.queue->suspended(), 0U);
  cancellation.cancel(ErrorKind::kDisconnected, "nobody listens");
  guests.loop.run_until_idle();
}

TEST_F(RunQueueTest, GivesTokensOfItsOwnLoop) {
  GuestLoop guests(3);
  std::uint64_t first = guests.queue->new_token();
  EXPECT_EQ(first >> Engine::kTokenIndexShift, 3U);
  EXPECT_NE(first, guests.queue->new_token());
}

TEST_F(RunQueueTest, LetsTheTickerSleepWhenNoGuestRuns) {
  GuestLoop guests;
  RequestCall call(guests, guests.instance("continue_all", kLong));
  call.start();
  for (int i = 0; i < 2000 && !test_engine()->ticker()->asleep(); ++i) std::this_thread::sleep_for(Milliseconds(5));
  EXPECT_TRUE(test_engine()->ticker()->asleep());
  RequestCall spinning(guests, guests.instance("loop_forever", kLong));
  spinning.start();  // would never return without a tick
  EXPECT_FALSE(spinning.ended());
}

// Guests that wait: the wake comes from another thread.

class WaitingCall {
 public:
  WaitingCall(GuestLoop& on, Instance instance, std::size_t milliseconds)
      : on_(on), instance_(std::move(instance)), body_(milliseconds, 'x') {
    request_.body = to_bytes(body_);
    SANDGATE_CHECK(::sg_instance_start_on_request(instance_.handle(), &request_) == nullptr);
    run(*this);
  }
  WaitingCall(const WaitingCall&) = delete;
  WaitingCall& operator=(const WaitingCall&) = delete;
  ~WaitingCall() {
    cancellation.cancel(ErrorKind::kDisconnected, "the test ended");
    on_.loop.run_until([this] { return outcome.has_value(); });
  }

  Cancellation cancellation;
  std::optional<std::expected<void, GuestFailure>> outcome;

 private:
  static Detached run(WaitingCall& call) {
    std::expected<void, GuestFailure> outcome = co_await call.on_.queue->run(call.instance_, call.cancellation);
    call.outcome = std::move(outcome);
  }

  GuestLoop& on_;
  Instance instance_;
  std::string body_;
  sg_request request_{};
};

TEST_F(RunQueueTest, WakesAGuestThatWaits) {
  GuestLoop guests;
  WaitingCall call(guests, guests.instance("wait", kLong), 20);
  EXPECT_FALSE(call.outcome.has_value());
  EXPECT_EQ(guests.queue->suspended(), 1U);
  ASSERT_TRUE(guests.loop.run_until([&] { return call.outcome.has_value(); }));
  EXPECT_TRUE(call.outcome->has_value()) << call.outcome->error().detail;
  EXPECT_EQ(guests.queue->suspended(), 0U);
}

TEST_F(RunQueueTest, WakesGuestsOnTheirOwnLoops) {
  GuestLoop first(1);
  GuestLoop second(2);
  WaitingCall one(first, first.instance("wait", kLong), 10);
  WaitingCall two(second, second.instance("wait", kLong), 10);
  EXPECT_TRUE(first.loop.run_until([&] { return one.outcome.has_value(); }));
  EXPECT_FALSE(two.outcome.has_value());
  EXPECT_TRUE(second.loop.run_until([&] { return two.outcome.has_value(); }));
}

TEST_F(RunQueueTest, EndsAWaitingGuestAtItsDeadline) {
  GuestLoop guests;
  WaitingCall call(guests, guests.instance("wait", kLong), 50'000);
  EXPECT_FALSE(call.outcome.has_value());
  guests.loop.advance(Milliseconds(59'000));
  guests.loop.run_until_idle();
  EXPECT_FALSE(call.outcome.has_value());
  guests.loop.advance(Milliseconds(1'000) + Loop::kTimerTick);
  guests.loop.run_until_idle();
  ASSERT_TRUE(call.outcome.has_value());
  EXPECT_EQ(call.outcome->error().kind, FailureKind::kDeadline);
}

TEST_F(RunQueueTest, CancelsAWaitingGuest) {
  GuestLoop guests;
  WaitingCall call(guests, guests.instance("wait", kLong), 50'000);
  call.cancellation.cancel(ErrorKind::kDisconnected, "the client left");
  guests.loop.run_until_idle();
  ASSERT_TRUE(call.outcome.has_value());
  EXPECT_EQ(call.outcome->error().kind, FailureKind::kCancelled);
}

TEST_F(RunQueueTest, IgnoresWakesThatComeTooLate) {
  GuestLoop guests;
  {
    WaitingCall call(guests, guests.instance("wait", kLong), 5);
    call.cancellation.cancel(ErrorKind::kDisconnected, "the client left");
    guests.loop.run_until_idle();
  }
  // Its timer may still fire; and somebody may invent tokens.
  test_engine()->wake_target(0)->wake(~std::uint64_t{0} >> 16);
  guests.loop.run_until([] { return false; }, Milliseconds(30));
  WaitingCall next(guests, guests.instance("wait", kLong), 5);
  EXPECT_TRUE(guests.loop.run_until([&] { return next.outcome.has_value(); }));
}

TEST_F(RunQueueTest, HandsGuestOutputToTheInstancesHost) {
  GuestLoop guests;
  testing::CollectingHost host;
  RequestCall call(guests, guests.instance("log_flood", kLong, &host));
  call.start();
  call.finish();
  const std::vector<std::string>& lines = host.lines;
  ASSERT_FALSE(lines.empty());
  // And one that says how many are missing.
  EXPECT_LE(lines.size(), static_cast<std::size_t>(SG_LOG_LINES_PER_CALL_MAX) + 1);
  EXPECT_TRUE(lines.front().starts_with("stdout: ffff")) << lines.front();
}

// Many calls of every kind, ended in every way, on one queue: all of them end, and nothing is left.
TEST_F(RunQueueTest, EndsEveryCallInAnyOrder) {
  GuestLoop guests;
  std::minstd_rand random(20240607);
  auto choose = [&](unsigned count) { return static_cast<unsigned>(random() % count); };
  std::vector<std::unique_ptr<WaitingCall>> calls;
  for (int step = 0; step < 400; ++step) {
    if (calls.size() < testing::kTestInstances - 1 && choose(3) != 0) {
      constexpr const char* kGuests[] = {"wait", "loop_forever", "continue_all", "trap_always", "wait"};
      Budget budget{.wall = Milliseconds(choose(4) == 0 ? 5 : 60'000)};
      calls.push_back(std::make_unique<WaitingCall>(guests, guests.instance(kGuests[choose(5)], budget), choose(6)));
    } else if (!calls.empty()) {
      std::size_t which = choose(static_cast<unsigned>(calls.size()));
      if (choose(2) == 0) calls[which]->cancellation.cancel(ErrorKind::kDisconnected, "chosen");
      if (choose(2) == 0) calls.erase(calls.begin() + static_cast<std::ptrdiff_t>(which));
    }
    if (choose(8) == 0) guests.loop.advance(Milliseconds(choose(10)));
    if (choose(2) == 0) guests.loop.turn();
  }
  calls.clear();
  EXPECT_EQ(guests.queue->suspended(), 0U);
}

TEST_F(InstanceTest, IsRefusedWhenThePoolIsUsedUp) {
  GuestLoop guests;
  std::vector<std::unique_ptr<RequestCall>> calls;
  std::optional<FailureKind> refused;
  for (std::uint32_t i = 0; i <= testing::kTestInstances && !refused; ++i) {
    std::expected<Instance, GuestFailure> made =
        Instance::create(*testing::test_module("loop_forever"), kLong, *guests.queue, nullptr);
    if (!made) {
      refused = made.error().kind;
      break;
    }
    calls.push_back(std::make_unique<RequestCall>(guests, std::move(*made)));
    calls.back()->start();
    if (calls.back()->ended()) refused = calls.back()->failure();
  }
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(*refused, FailureKind::kCapacity);
}

TEST_F(InstanceTest, TellsItsMemoryPeak) {
  GuestLoop guests;
  RequestCall call(guests, guests.instance("continue_all", kLong));
  call.start();
  EXPECT_GE(call.instance().memory_peak_bytes(), kWasmPageBytes);
}

}  // namespace
}  // namespace sandgate::sandbox
