// SPDX-License-Identifier: Apache-2.0
#include "net/loop_thread.h"

#include <pthread.h>

#include "http/date.h"
#include "platform/clock.h"

namespace sandgate::net {

// One thread runs the context and only posts come from others: the reactor needs no locks.
LoopThread::LoopThread(unsigned index)
    : index_(index),
      context_(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO),
      work_(context_.get_executor()),
      wheel_(platform::monotonic_coarse_now()),
      wheel_timer_(context_.get_executor()) {}

LoopThread::~LoopThread() { stop(); }

void LoopThread::start(std::function<void()> prepare) {
  thread_ = std::thread([this, prepare = std::move(prepare)] {
    ::pthread_setname_np(::pthread_self(), ("loop-" + std::to_string(index_)).c_str());
    if (prepare) prepare();
    context_.run();
  });
}

void LoopThread::stop() {
  if (!thread_.joinable()) return;
  // Posted, so that jobs already posted run first.
  asio::post(context_, [this] { context_.stop(); });
  thread_.join();
}

void LoopThread::post(std::function<void()> job) { asio::post(context_, std::move(job)); }

void LoopThread::next_turn(void (*turn)(void* owner), void* owner) {
  asio::post(context_, [turn, owner] { turn(owner); });
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
  wheel_.arm(timer, deadline + Nanoseconds(kTimerTick));
  if (deadline < wheel_wakes_at_) wake_for_timers();
}

void LoopThread::timer_destroyed(Timer& timer) { wheel_.remove(timer); }

void LoopThread::wake_for_timers() {
  std::optional<Nanoseconds> due = wheel_.next_due();
  if (!due) {
    wheel_wakes_at_ = Nanoseconds::max();
    return;
  }
  if (*due >= wheel_wakes_at_) return;
  wheel_wakes_at_ = *due;
  // Both clocks are CLOCK_MONOTONIC. Setting a new time cancels the old wait.
  wheel_timer_.expires_at(std::chrono::steady_clock::time_point(*due));
  wheel_timer_.async_wait([this](const boost::system::error_code& failure) {
    if (!failure) timers_due();
  });
}

void LoopThread::timers_due() {
  wheel_wakes_at_ = Nanoseconds::max();
  wheel_.fire_due(platform::monotonic_now());
  wake_for_timers();
}

}  // namespace sandgate::net
