// SPDX-License-Identifier: Apache-2.0
//
// A thread that runs one event loop: sockets through Asio, timers through one wheel, jobs posted from anywhere. Made and destroyed by the server; everything on it
// (connections, pools, guests) must be gone before.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "base/loop.h"
#include "base/timer_wheel.h"
#include "net/asio.h"
#include "net/buffer_pool.h"

namespace sandgate::net {

class LoopThread final : public Loop {
 public:
  explicit LoopThread(unsigned index);
  ~LoopThread() override;

  // Starts the thread; `prepare` runs first on it (signal stacks for guests). Its name is "loop-INDEX".
  void start(std::function<void()> prepare);
  // Asks the loop to end after what is ready now, and joins. Idempotent.
  void stop();

  unsigned index() const override { return index_; }
  void post(std::function<void()> job) override;
  void next_turn(void (*turn)(void* owner), void* owner) override;
  Nanoseconds now() const override;
  Nanoseconds precise_now() const override;

  asio::io_context& context() { return context_; }
  BufferPool& buffers() { return buffers_; }
  // The Date field's value now, made once a second. Loop thread only; valid until the next call.
  std::string_view http_date();

 private:
  void timer_armed(Timer& timer, Nanoseconds deadline) override;
  void timer_destroyed(Timer& timer) override;
  void wake_for_timers();
  void timers_due();

  unsigned index_;
  asio::io_context context_;
  asio::executor_work_guard<Executor> work_;
  BufferPool buffers_;
  std::string date_;
  std::int64_t date_unix_s_ = 0;
  TimerWheel wheel_;
  WheelTimer wheel_timer_;
  Nanoseconds wheel_wakes_at_{Nanoseconds::max()};
  std::thread thread_;
};

}  // namespace sandgate::net
