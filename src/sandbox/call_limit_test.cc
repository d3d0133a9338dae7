// SPDX-License-Identifier: Apache-2.0
#include "sandbox/call_limit.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/support/fake_loop.h"

namespace sandgate::sandbox {
namespace {

using Entered = std::expected<CallLimit::Place, GuestFailure>;

Detached await_into(Task<Entered> task, std::optional<Entered>& to) {
  Entered entered = co_await task;
  to.emplace(std::move(entered));
}

class CallLimitTest : public testing::Test {
 protected:
  // Somebody who waits; holds the place until dropped.
  struct Caller {
    Cancellation cancellation;
    std::optional<Entered> entered;
    bool inside() const { return entered && *entered; }
  };
  void begin(Caller& caller, test::FakeLoop& loop) {
    await_into(limit_.enter(loop, caller.cancellation), caller.entered);
  }

  test::FakeLoop loop_;
  test::FakeLoop other_{1};
  CallLimit limit_{2, Milliseconds(1000)};
};

TEST_F(CallLimitTest, GivesSoManyPlacesAndTakesThemBack) {
  CallLimit::Place first = limit_.try_enter();
  CallLimit::Place second = limit_.try_enter();
  EXPECT_TRUE(first);
  EXPECT_TRUE(second);
  EXPECT_FALSE(limit_.try_enter());
  first = CallLimit::Place();
  EXPECT_TRUE(limit_.try_enter());
}

TEST_F(CallLimitTest, ServesWhoCameFirst) {
  std::optional<CallLimit::Place> first = limit_.try_enter();
  CallLimit::Place second = limit_.try_enter();
  Caller a;
  Caller b;
  begin(a, loop_);
  begin(b, other_);
  EXPECT_EQ(limit_.waiting(), 2U);
  first.reset();
  EXPECT_FALSE(limit_.try_enter()) << "nobody overtakes the queue";
  other_.run_until_idle();
  loop_.run_until_idle();
  EXPECT_TRUE(a.inside());
  EXPECT_FALSE(b.entered.has_value());
  a.entered.reset();
  other_.run_until_idle();
  EXPECT_TRUE(b.inside()) << "on its own loop";
}

TEST_F(CallLimitTest, EndsAWaitThatIsTooLong) {
  CallLimit::Place first = limit_.try_enter();
  CallLimit::Place second = limit_.try_enter();
  Caller a;
  begin(a, loop_);
  loop_.advance(Milliseconds(999));
  EXPECT_FALSE(a.entered.has_value());
  loop_.advance(Milliseconds(10));
  ASSERT_TRUE(a.entered.has_value());
  EXPECT_EQ(a.entered->error().kind, FailureKind::kCapacity);
  EXPECT_EQ(limit_.waiting(), 0U);
}

TEST_F(CallLimitTest, EndsAWaitThatIsCancelled) {
  CallLimit::Place first = limit_.try_enter();
  CallLimit::Place second = limit_.try_enter();
  Caller a;
  begin(a, loop_);
  a.cancellation.cancel(ErrorKind::kDisconnected, "the client left");
  ASSERT_TRUE(a.entered.has_value());
  EXPECT_EQ(a.entered->error().kind, FailureKind::kCancelled);
  EXPECT_EQ(limit_.waiting(), 0U);
}

TEST_F(CallLimitTest, APlaceThatComesTooLateGoesToTheNext) {
  std::optional<CallLimit::Place> first = limit_.try_enter();
  CallLimit::Place second = limit_.try_enter();
  Caller a;
  Caller b;
  begin(a, loop_);
  begin(b, loop_);
  first.reset();  // posted to a, which leaves before it looks
  a.cancellation.cancel(ErrorKind::kDisconnected, "the client left");
  EXPECT_FALSE(*a.entered);
  loop_.run_until_idle();
  EXPECT_TRUE(b.inside());
}

TEST_F(CallLimitTest, RefusesBeyondTheQueue) {
  CallLimit::Place first = limit_.try_enter();
  CallLimit::Place second = limit_.try_enter();
  std::vector<Caller> callers(CallLimit::kWaitingMax);
  for (Caller& caller : callers) begin(caller, loop_);
  Caller last;
  begin(last, loop_);
  ASSERT_TRUE(last.entered.has_value());
  EXPECT_EQ(last.entered->error().kind, FailureKind::kCapacity);
  for (Caller& caller : callers) caller.cancellation.cancel(ErrorKind::kDisconnected, "the test ends");
}

TEST_F(CallLimitTest, APlaceOfAnEndedLoopComesBack) {
  std::optional<CallLimit::Place> first = limit_.try_enter();
  CallLimit::Place second = limit_.try_enter();
  Caller a;
  {
    test::FakeLoop ending(2);
    begin(a, ending);
    first.reset();
    a.cancellation.cancel(ErrorKind::kDisconnected, "the loop ends");
  }
  EXPECT_TRUE(limit_.try_enter());
}

}  // namespace
}  // namespace sandgate::sandbox
