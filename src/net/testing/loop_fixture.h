// SPDX-License-Identifier: Apache-2.0
//
// What the tests of net share: loops on threads, code that runs on them while the test waits (never for ever), and ends
// of connections.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/task.h"
#include "net/loop_thread.h"
#include "net/stream.h"
#include "tests/support/http_client.h"

namespace sandgate::net::testing {

// A slow shared machine needs less; a test that hangs should end.
inline constexpr std::chrono::seconds kPatience{20};

// A flag that one thread raises and others wait for.
class Signal {
 public:
  // Notifies under the lock: whoever waited may destroy the signal as soon as the lock is free.
  void raise() {
    std::lock_guard lock(mutex_);
    ++count_;
    raised_.notify_all();
  }
  // Whether it was raised `count` times within the patience.
  bool wait(int count = 1, std::chrono::milliseconds patience = kPatience) {
    std::unique_lock lock(mutex_);
    return raised_.wait_for(lock, patience, [&] { return count_ >= count; });
  }
  int count() {
    std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable raised_;
  int count_ = 0;
};

template <typename T>
Detached await_into(Task<T> task, std::shared_ptr<std::promise<T>> result) {
  T value = co_await task;
  result->set_value(std::move(value));
}

// Runs `job` on the loop's thread and waits for it.
inline void on_loop(LoopThread& loop, std::function<void()> job) {
  auto done = std::make_shared<std::promise<void>>();
  std::future<void> ended = done->get_future();
  loop.post([job = std::move(job), done] {
    job();
    done->set_value();
  });
  ASSERT_EQ(ended.wait_for(kPatience), std::future_status::ready) << "a job did not end";
}

// Starts a coroutine on the loop's thread. `start` is called there and returns the Task; what it refers to must outlive
// the future's value.
template <typename T>
std::future<T> begin(LoopThread& loop, std::function<Task<T>()> start) {
  auto result = std::make_shared<std::promise<T>>();
  std::future<T> future = result->get_future();
  loop.post([start = std::move(start), result] { await_into(start(), result); });
  return future;
}

template <typename T>
std::optional<T> value_of(std::future<T> future) {
  if (future.wait_for(kPatience) != std::future_status::ready) return std::nullopt;
  return future.get();
}

class LoopTest : public ::testing::Test {
 protected:
  LoopTest() { loop.start({}); }
  ~LoopTest() override { loop.stop(); }

  void on_loop(std::function<void()> job) { testing::on_loop(loop, std::move(job)); }
  template <typename T>
  std::optional<T> run(std::function<Task<T>()> start) {
    return value_of(begin<T>(loop, std::move(start)));
  }

  LoopThread loop{0};
};

// A stream on a loop, and the other end in the hands of the test.
struct StreamPair {
  StreamPtr stream;  // touched on the loop only
  std::unique_ptr<test::RawClient> peer;
};

enum class Transport { kTcp, kUnix };

// On the loop's thread or while the test knows that nothing else runs there.
StreamPair make_pair(LoopThread& loop, Transport transport);

// A non-blocking socket on its way to 127.0.0.1:PORT.
platform::Descriptor connecting_to(std::uint16_t port);

// A listening socket whose backlog is full: further connects neither succeed nor fail.
struct FullBacklog {
  FullBacklog();
  platform::Descriptor listener;
  std::uint16_t port = 0;
  std::vector<platform::Descriptor> fillers;
};

}  // namespace sandgate::net::testing
