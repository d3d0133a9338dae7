// SPDX-License-Identifier: Apache-2.0
//
// Advances the engine's epoch each millisecond while guests run, so that a guest that does not end yields. Sleeps when
// none has run for a while: an idle server wakes up for nothing. The ticker belongs to the engine; each run queue has a
// Runner, used on its loop thread only.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/loop.h"

namespace sandgate::sandbox {

class Ticker {
 public:
  // A guest's slice.
  static constexpr Milliseconds kPeriod{1};
  // Ticks without a guest after which the thread sleeps. Waking it costs the next guest a system call: not once per
  // request.
  static constexpr unsigned kQuietTicks = 50;

  // Tells the ticker that guests run on one thread: 10 ns per call of a guest, both functions together.
  class Runner {
   public:
    explicit Runner(Ticker& ticker);
    Runner(const Runner&) = delete;
    Runner& operator=(const Runner&) = delete;
    ~Runner();

    void enter() {
      // Written before `asleep_` is read, as the ticker writes `asleep_` before it reads this: one of the two sees the
      // other (both are sequentially consistent).
      entries_.store(entries_.load(std::memory_order_relaxed) + 1, std::memory_order_seq_cst);
      if (ticker_.asleep_.load(std::memory_order_seq_cst)) [[unlikely]]
        ticker_.wake();
    }
    void leave() { entries_.store(entries_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }

   private:
    friend class Ticker;
    Ticker& ticker_;
    std::uint64_t seen_ = 0;  // by the ticker's thread
    // Odd while a guest runs. On a cache line of its own: the ticker reads it once a millisecond, the loop writes it
    // twice per call.
    alignas(64) std::atomic<std::uint64_t> entries_{0};
  };

  // `tick` is called on the ticker's thread.
  explicit Ticker(std::function<void()> tick);
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;
  ~Ticker();  // every Runner is gone before

  bool asleep() const { return asleep_.load(); }

 private:
  void run();
  bool anyone_ran();
  void wake();

  std::function<void()> tick_;
  alignas(64) std::atomic<bool> asleep_{
      false};  // read by every call of a guest, written when going to sleep and waking up
  alignas(64) std::mutex mutex_;
  std::condition_variable woken_;
  std::vector<Runner*> runners_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace sandgate::sandbox
