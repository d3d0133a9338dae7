// SPDX-License-Identifier: Apache-2.0
#include "gateway/retry_budget.h"

#include <gtest/gtest.h>

namespace sandgate::gateway {
namespace {

constexpr Nanoseconds kStart = std::chrono::hours(1);

int take_all(RetryBudget& budget, Nanoseconds now) {
  int taken = 0;
  while (taken < 10'000 && budget.take(now)) ++taken;
  return taken;
}

TEST(RetryBudget, BeginsWithTenSecondsWorth) {
  RetryBudget budget(RetryOptions{.budget_percent = 20, .budget_per_s = 10}, 1);
  EXPECT_EQ(take_all(budget, kStart), 100);
}

TEST(RetryBudget, EarnsAShareOfTheRequests) {
  RetryBudget budget(RetryOptions{.budget_percent = 20, .budget_per_s = 10}, 1);
  take_all(budget, kStart);
  for (int i = 0; i < 50; ++i) budget.request();
  EXPECT_EQ(take_all(budget, kStart), 10);
}

TEST(RetryBudget, EarnsByTimeToo) {
  RetryBudget budget(RetryOptions{.budget_percent = 0, .budget_per_s = 10}, 1);
  take_all(budget, kStart);
  EXPECT_EQ(take_all(budget, kStart + std::chrono::seconds(2)), 20);
  EXPECT_EQ(take_all(budget, kStart + std::chrono::hours(2)), 100) << "no more than what is saved";
}

TEST(RetryBudget, IsSharedByTheLoops) {
  RetryBudget budget(RetryOptions{.budget_percent = 0, .budget_per_s = 10}, 2);
  EXPECT_EQ(take_all(budget, kStart), 50);
}

TEST(RetryBudget, OfNothingAllowsNothing) {
  RetryBudget budget(RetryOptions{.budget_percent = 0, .budget_per_s = 0}, 1);
  budget.request();
  EXPECT_EQ(take_all(budget, kStart), 0);
}

}  // namespace
}  // namespace sandgate::gateway
