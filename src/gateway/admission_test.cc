// SPDX-License-Identifier: Apache-2.0
#include "gateway/admission.h"

#include <gtest/gtest.h>

#include <optional>

#include "exchange/problem.h"
#include "tests/support/fake_exchange.h"

namespace sandgate::gateway {
namespace {

// Answers when the test says so.
class Waits final : public Handler {
 public:
  Task<Status> serve(Exchange& exchange) const override {
    co_await go.wait();
    Status answered = co_await respond(exchange, 200, {}, {});
    co_return answered;
  }
  mutable Event go;
};

class Fails final : public Handler {
 public:
  Task<Status> serve(Exchange&) const override { co_return fail(ErrorKind::kUpstream, "no"); }
};

TEST(Admission, RefusesWhatIsAboveTheBoundUntilThereIsRoom) {
  Waits next;
  Admission admission(1, next);
  test::FakeExchange first;
  std::optional<Status> ended;
  test::fake_exchange_internal::run_to_end<Status>(admission.serve(first.exchange), ended);
  EXPECT_FALSE(ended);
  EXPECT_EQ(admission.in_flight(), 1U);

  test::FakeExchange second;
  Status refused = test::serve(admission, second);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kOverloaded);
  EXPECT_EQ(admission.refused(), 1U);
  EXPECT_EQ(admission.in_flight(), 1U);

  next.go.set();
  ASSERT_TRUE(ended);
  EXPECT_EQ(admission.in_flight(), 0U);
  test::FakeExchange third;
  EXPECT_TRUE(test::serve(admission, third));
  EXPECT_EQ(admission.refused(), 1U);
}

TEST(Admission, AFailureMakesRoomToo) {
  Fails next;
  Admission admission(1, next);
  for (int i = 0; i < 3; ++i) {
    test::FakeExchange fake;
    Status status = test::serve(admission, fake);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, ErrorKind::kUpstream);
  }
  EXPECT_EQ(admission.in_flight(), 0U);
}

}  // namespace
}  // namespace sandgate::gateway
