// SPDX-License-Identifier: Apache-2.0
//
// A thread that runs one event loop. A turn of it: jobs posted from anywhere, descriptors that became ready, timers
// that are due, then what asked for the next turn. Made and destroyed by the server; everything on it (connections,
// pools, guests) must be gone before.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/loop.h"
#include "base/timer_wheel.h"
#include "net/buffer_pool.h"
#include "net/poller.h"

namespace sandgate::net {

class LoopThread final : public Loop {
 public:
  // Ends the process when the system has no descriptor left for it.
  explicit LoopThread(unsigned index);
  ~LoopThread() override;

  // Starts the thread; `prepare` runs first on it (signal stacks for guests) and may be null. Its name is "loop-INDEX".
  void start(std::function<void()> prepare);
  // Ends the loop after the jobs posted so far and the turns that follow from them (at most kLastTurns), and joins.
  // Idempotent. Not on the loop's own thread.
  void stop();

  unsigned index() const override { return index_; }
  // Once the loop has ended the job is destroyed at once, unrun.
  void post(std::function<void()> job) override;
  void next_turn(void (*turn)(void* owner), void* owner) override { turns_.push_back({turn, owner}); }
  Nanoseconds now() const override;
  Nanoseconds precise_now() const override;

  Poller& poller() { return poller_; }
  BufferPool& buffers() { return buffers_; }
  // Counts turns; wraps. Whoever could go on for ever within one turn compares it.
  std::uint32_t turn() const { return turn_; }
  // The Date field's value now, made once a second. Loop thread only; valid until the next call.
  std::string_view http_date();

  // So that a call that yields for ever cannot keep a stopped loop running.
  static constexpr int kLastTurns = 1000;

 private:
  struct Turn {
    void (*run)(void* owner);
    void* owner;
  };

  void timer_armed(Timer& timer, Nanoseconds deadline) override;
  void timer_destroyed(Timer& timer) override;

  void run();
  void end();
  int wait_ms() const;
  void run_posted();
  void run_timers();
  void run_turns();

  unsigned index_;
  std::uint32_t turn_ = 0;
  bool stopping_ = false;
  Poller poller_;
  BufferPool buffers_;
  TimerWheel wheel_;
  Nanoseconds wheel_due_{Nanoseconds::max()};  // no timer is due before
  std::vector<Turn> turns_;
  std::vector<Turn> running_turns_;
  std::string date_;
  std::int64_t date_unix_s_ = 0;

  std::mutex posted_mutex_;
  std::vector<std::function<void()>> posted_;  // guarded by the mutex, as is ended_
  bool ended_ = false;
  std::atomic<bool> has_posted_{false};
  std::vector<std::function<void()>> running_jobs_;
  std::thread thread_;
};

}  // namespace sandgate::net
