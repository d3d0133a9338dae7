// SPDX-License-Identifier: Apache-2.0
//
// How many retries one loop may make: a share of its requests, and a few each second beside it. What was not used is
// saved for ten seconds' worth, so that one server's death does not meet an empty purse. Loop thread only; a request
// costs one addition.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/loop.h"
#include "gateway/upstream_options.h"

namespace sandgate::gateway {

class RetryBudget {
 public:
  // `loops` share the rate.
  RetryBudget(const RetryOptions& options, std::size_t loops)
      : per_request_(options.budget_percent * (kRetry / 100)),
        per_s_(static_cast<std::int64_t>(options.budget_per_s) * kRetry / static_cast<std::int64_t>(loops)),
        saved_max_(std::max<std::int64_t>(per_s_, kRetry) * kSavedSeconds),
        saved_(per_s_ > 0 || per_request_ > 0 ? saved_max_ : 0) {}

  void request() { saved_ = std::min(saved_ + per_request_, saved_max_); }
  // Whether a retry may go out.
  bool take(Nanoseconds now) {
    if (last_ != Nanoseconds(0)) saved_ = std::min(saved_ + earned(now - last_), saved_max_);
    last_ = now;
    if (saved_ < kRetry) return false;
    saved_ -= kRetry;
    return true;
  }

 private:
  static constexpr std::int64_t kRetry = 1000;
  static constexpr std::int64_t kSavedSeconds = 10;

  std::int64_t earned(Nanoseconds passed) const {
    std::int64_t ms = std::min<std::int64_t>(passed / Milliseconds(1), kSavedSeconds * 1000);
    return per_s_ * ms / 1000;
  }

  std::int64_t per_request_;
  std::int64_t per_s_;
  std::int64_t saved_max_;
  std::int64_t saved_;
  Nanoseconds last_{0};
};

}  // namespace sandgate::gateway
