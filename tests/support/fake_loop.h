// SPDX-License-Identifier: Apache-2.0
//
// A Loop without a thread: the test is the thread, and time stands still until the test moves it. post() may come from
// other threads, as guests' wakes and compiled modules do.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "base/loop.h"
#include "base/timer_wheel.h"

namespace sandgate::test {

class FakeLoop final : public Loop {
 public:
  explicit FakeLoop(unsigned index = 0) : index_(index) {}

  unsigned index() const override { return index_; }
  void post(std::function<void()> job) override {
    // Notified under the lock: the loop may be gone as soon as the test has seen the job.
    std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    posted_.notify_all();
  }
  void next_turn(void (*turn)(void* owner), void* owner) override { turns_.emplace_back(turn, owner); }
  Nanoseconds now() const override { return now_; }
  Nanoseconds precise_now() const override { return now_; }
  void timer_armed(Timer& timer, Nanoseconds deadline) override { wheel_.arm(timer, deadline); }
  void timer_destroyed(Timer& timer) override { wheel_.remove(timer); }

  // Moves the clock and fires what became due.
  void advance(Nanoseconds by) {
    now_ += by;
    wheel_.fire_due(now_);
  }

  // One turn: the jobs posted so far, then the turns asked for so far. False when there was nothing to do.
  bool turn() {
    std::deque<std::function<void()>> jobs;
    {
      std::lock_guard lock(mutex_);
      jobs.swap(jobs_);
    }
    for (std::function<void()>& job : jobs) job();
    std::vector<std::pair<void (*)(void*), void*>> turns = std::exchange(turns_, {});
    for (auto& [run, owner] : turns) run(owner);
    return !jobs.empty() || !turns.empty();
  }

  // Turns until there is nothing to do now.
  void run_until_idle() {
    while (turn()) {}
  }

  // Turns until `done()`, waiting for other threads in between. False after `patience` of real time.
  template <typename Done>
  bool run_until(Done&& done, std::chrono::milliseconds patience = std::chrono::seconds(60)) {
    auto give_up = std::chrono::steady_clock::now() + patience;
    while (!done()) {
      if (turn()) continue;
      std::unique_lock lock(mutex_);
      if (!posted_.wait_until(lock, give_up, [this] { return !jobs_.empty(); })) return done();
    }
    return true;
  }

  // Whether a turn was asked for and has not been run.
  bool owes_turn() const { return !turns_.empty(); }

 private:
  unsigned index_;
  // Not 0, which timers could take for "never".
  Nanoseconds now_ = std::chrono::hours(1);
  TimerWheel wheel_{now_};
  std::vector<std::pair<void (*)(void*), void*>> turns_;
  std::mutex mutex_;
  std::condition_variable posted_;
  std::deque<std::function<void()>> jobs_;
};

}  // namespace sandgate::test
