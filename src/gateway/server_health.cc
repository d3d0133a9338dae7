// SPDX-License-Identifier: Apache-2.0
#include "gateway/server_health.h"

#include <algorithm>

namespace sandgate::gateway {
namespace {

// A slow start begins with a sixteenth: enough to warm up, too little to hurt.
constexpr unsigned kFirstShare = ServerHealth::kWholeShare / 16;
// More doublings than the maximum of the time allows anyway.
constexpr std::uint32_t kDoublingsMax = 16;

}  // namespace

// Whoever moves the date makes the trial; the others go on passing by.
bool ServerHealth::is_due(Nanoseconds now) {
  std::int64_t due = trial_at_ns_.load(std::memory_order_relaxed);
  if (now.count() < due) return false;
  if (!trial_at_ns_.compare_exchange_strong(due, (now + ejection_time()).count(), std::memory_order_relaxed))
    return false;
  on_trial_.store(true, std::memory_order_relaxed);
  return true;
}

Nanoseconds ServerHealth::ejection_time() const {
  const EjectionOptions& ejection = options_.ejection;
  Nanoseconds time = ejection.time * (1U << doublings_.load(std::memory_order_relaxed));
  return std::min(time, Nanoseconds(ejection.time_max));
}

void ServerHealth::note_answer(Era era, Nanoseconds now) {
  if (era == era_.load(std::memory_order_relaxed)) admit(kUnreached | kBad, now);
}

void ServerHealth::note_success(Era era, Nanoseconds now) {
  if (era != era_.load(std::memory_order_relaxed)) return;
  failures_.store(0, std::memory_order_relaxed);
  if (ejected()) admit(kUnreached | kBad, now);
}

void ServerHealth::failed(Era era, Failure failure, const Loop& loop) {
  // One report ends an era: requests that failed together count as one ejection.
  if (era != era_.load(std::memory_order_relaxed)) return;
  Nanoseconds now = loop.now();
  std::uint32_t in_a_row = failures_.fetch_add(1, std::memory_order_relaxed) + 1;
  if (ejected()) {
    // Requests also come because all servers are out; only a trial that fails makes the time longer.
    if (!on_trial_.exchange(false, std::memory_order_relaxed)) return;
    if (!era_.compare_exchange_strong(era, era + 1, std::memory_order_relaxed)) return;
    std::uint32_t doublings = doublings_.load(std::memory_order_relaxed);
    doublings_.store(std::min(doublings + 1, kDoublingsMax), std::memory_order_relaxed);
    trial_at_ns_.store((now + ejection_time()).count(), std::memory_order_relaxed);
    ejections_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  bool bad = failure == Failure::kBadAnswer;
  if (bad && (options_.ejection.failures == 0 || in_a_row < options_.ejection.failures || !room_.enter())) return;
  if (!era_.compare_exchange_strong(era, era + 1, std::memory_order_relaxed)) {
    if (bad) room_.leave();
    return;
  }
  eject(bad ? kBad : kUnreached, now);
}

void ServerHealth::eject(std::uint32_t reason, Nanoseconds now) {
  doublings_.store(0, std::memory_order_relaxed);
  trial_at_ns_.store((now + ejection_time()).count(), std::memory_order_relaxed);
  ejections_.fetch_add(1, std::memory_order_relaxed);
  reasons_.fetch_or(reason, std::memory_order_relaxed);
}

// Takes `reasons` away.
void ServerHealth::admit(std::uint32_t reasons, Nanoseconds now) {
  std::uint32_t before = reasons_.fetch_and(~reasons, std::memory_order_relaxed);
  if ((before & reasons & kBad) != 0) room_.leave();
  if ((before & reasons) == 0 || (before & ~reasons) != 0) return;
  came_back_at_ns_.store(now.count(), std::memory_order_relaxed);
}

void ServerHealth::probed(bool passed, Nanoseconds now) {
  (passed ? probes_passed_ : probes_failed_).fetch_add(1, std::memory_order_relaxed);
  // The server is there again: no need to wait for the trial.
  if (passed) admit(kUnreached, now);
  if (passed != unhealthy()) {
    probe_streak_ = 0;
    return;
  }
  ++probe_streak_;
  if (passed && probe_streak_ >= options_.health_check->passes) {
    probe_streak_ = 0;
    admit(kUnhealthy, now);
  } else if (!passed && probe_streak_ >= options_.health_check->fails) {
    probe_streak_ = 0;
    reasons_.fetch_or(kUnhealthy, std::memory_order_relaxed);
  }
}

void ServerHealth::set_draining(bool draining, Nanoseconds now) {
  if (draining) {
    reasons_.fetch_or(kDraining, std::memory_order_relaxed);
  } else {
    admit(kDraining, now);
  }
}

unsigned ServerHealth::share(Nanoseconds now) const {
  Nanoseconds slow_start = options_.slow_start;
  std::int64_t since = came_back_at_ns_.load(std::memory_order_relaxed);
  if (slow_start.count() == 0 || since == 0) return kWholeShare;
  Nanoseconds passed = now - Nanoseconds(since);
  if (passed >= slow_start) return kWholeShare;
  auto grown = static_cast<unsigned>(std::max<std::int64_t>(passed.count(), 0) * kWholeShare / slow_start.count());
  return std::max(kFirstShare, grown);
}

}  // namespace sandgate::gateway
