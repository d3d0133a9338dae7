// SPDX-License-Identifier: Apache-2.0
#include "net/loop_thread.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "http/date.h"
#include "platform/clock.h"

namespace sandgate::net {

LoopThread::LoopThread(unsigned index) : index_(index), wheel_(platform::monotonic_coarse_now()) {}

LoopThread::~LoopThread() { stop(); }

void LoopThread::start(std::function<void()> prepare) {
  thread_ = std::thread([this, prepare = std::move(prepare)] {
    ::pthread_setname_np(::pthread_self(), ("loop-" + std::to_string(index_)).c_str());
    if (prepare) prepare();
    run();
  });
}

void LoopThread::stop() {
  if (!thread_.joinable()) return;
  // Posted, so that jobs already posted run first.
  post([this] { stopping_ = true; });
  thread_.join();
}

void LoopThread::post(std::function<void()> job) {
  {
    std::lock_guard lock(posted_mutex_);
    if (ended_) return;
    posted_.push_back(std::move(job));
    // Whoever finds the list empty wakes the loop, for all who come before it looks.
    if (has_posted_.exchange(true, std::memory_order_relaxed)) return;
  }
  poller_.wake();
}

Nanoseconds LoopThread::now() const { return platform::monotonic_coarse_now(); }

Nanoseconds LoopThread::precise_now() const { return platform::monotonic_now(); }

std::string_view LoopThread::http_date() {
  std::int64_t unix_s = platform::unix_coarse_now_s();
  if (unix_s != date_unix_s_) {
    date_unix_s_ = unix_s;
    date_ = http::format_date(unix_s);
  }
  return date_;
}

void LoopThread::timer_armed(Timer& timer, Nanoseconds deadline) {
  // The coarse clock may be a tick behind; a timer must not fire early for that.
  deadline += Nanoseconds(kTimerTick);
  wheel_.arm(timer, deadline);
  // The wheel visits its slot within a tick of the deadline.
  wheel_due_ = std::min(wheel_due_, deadline + Nanoseconds(kTimerTick));
}

void LoopThread::timer_destroyed(Timer& timer) { wheel_.remove(timer); }

void LoopThread::run() {
  while (!stopping_) {
    poller_.poll(wait_ms());
    run_posted();
    run_timers();
    run_turns();
    ++turn_;
  }
  end();
}

// What was closed or cancelled shortly before unwinds on the next turns.
void LoopThread::end() {
  for (int i = 0; i < kLastTurns && (!turns_.empty() || has_posted_.load(std::memory_order_relaxed)); ++i) {
    run_posted();
    run_turns();
    ++turn_;
  }
  std::vector<std::function<void()>> dropped;  // destroyed after the lock: a job's end may post
  std::lock_guard lock(posted_mutex_);
  ended_ = true;
  dropped.swap(posted_);
}

int LoopThread::wait_ms() const {
  if (!turns_.empty() || has_posted_.load(std::memory_order_relaxed)) return 0;
  if (wheel_due_ == Nanoseconds::max()) return -1;
  Nanoseconds left = wheel_due_ - platform::monotonic_coarse_now();
  if (left.count() <= 0) return 0;
  return static_cast<int>(std::chrono::ceil<Milliseconds>(left).count());
}

void LoopThread::run_posted() {
  if (!has_posted_.load(std::memory_order_relaxed)) return;
  {
    std::lock_guard lock(posted_mutex_);
    has_posted_.store(false, std::memory_order_relaxed);
    running_jobs_.swap(posted_);
  }
  for (std::function<void()>& job : running_jobs_) job();
  running_jobs_.clear();
}

void LoopThread::run_timers() {
  if (wheel_due_ == Nanoseconds::max() || platform::monotonic_coarse_now() < wheel_due_) return;
  wheel_due_ = Nanoseconds::max();
  wheel_.fire_due(platform::monotonic_now());
  // What the callbacks armed may be due before what the wheel holds.
  wheel_due_ = std::min(wheel_due_, wheel_.next_due().value_or(Nanoseconds::max()));
}

void LoopThread::run_turns() {
  if (turns_.empty()) return;
  // What these ask for again waits until I/O had its turn.
  running_turns_.swap(turns_);
  for (Turn turn : running_turns_) turn.run(turn.owner);
  running_turns_.clear();
}

}  // namespace sandgate::net
