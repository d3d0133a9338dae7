// SPDX-License-Identifier: Apache-2.0
#include "gateway/handler_switch.h"

#include <gtest/gtest.h>

#include <array>

#include "exchange/problem.h"
#include "gateway/testing/running.h"
#include "tests/support/fake_exchange.h"

namespace sandgate::gateway {
namespace {

// Answers with its name, once `hold` is set; tells when it ends.
class Named final : public Handler {
 public:
  Named(std::string name, bool& gone) : name_(std::move(name)), gone_(gone) {}
  ~Named() override { gone_ = true; }
  Task<Status> serve(Exchange& exchange) const override {
    if (hold != nullptr) co_await hold->wait();
    Status answered = co_await respond(exchange, 200, "text/plain", name_);
    co_return answered;
  }
  Event* hold = nullptr;

 private:
  std::string name_;
  bool& gone_;
};

TEST(HandlerSwitch, RequestsFinishOnTheHandlerTheyBeganWith) {
  bool old_gone = false;
  bool new_gone = false;
  test::FakeExchange before;
  std::array<Loop*, 1> loops = {&before.loop};
  HandlerSwitch handlers(loops);
  Event hold;
  auto old = std::make_shared<Named>("old", old_gone);
  old->hold = &hold;
  handlers.set(std::move(old));
  testing::Running running;
  testing::start_serving(handlers, before.exchange, running);
  ASSERT_FALSE(running.ended());

  handlers.set(std::make_shared<Named>("new", new_gone));
  test::FakeExchange after;
  ASSERT_TRUE(test::serve(handlers, after));
  EXPECT_EQ(after.sent().body, "new");
  EXPECT_FALSE(old_gone);

  hold.set();
  ASSERT_TRUE(running.ended());
  EXPECT_EQ(before.sent().body, "old");
  EXPECT_TRUE(old_gone);
  EXPECT_FALSE(new_gone);
}

TEST(HandlerSwitch, ALoopWithoutRequestsLetsGoAsWell) {
  bool gone = false;
  bool other_gone = false;
  test::FakeExchange fake;
  std::array<Loop*, 1> loops = {&fake.loop};
  HandlerSwitch handlers(loops);
  handlers.set(std::make_shared<Named>("old", gone));
  fake.loop.run_until_idle();
  handlers.set(std::make_shared<Named>("new", other_gone));
  EXPECT_FALSE(gone);
  fake.loop.run_until_idle();
  EXPECT_TRUE(gone);
}

}  // namespace
}  // namespace sandgate::gateway
