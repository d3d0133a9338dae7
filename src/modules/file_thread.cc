// SPDX-License-Identifier: Apache-2.0
#include "modules/file_thread.h"

#include <utility>

#include "sandbox/thread.h"

namespace sandgate::modules {

// Shared by the waiting coroutine and the thread, so that either may end first.
struct FileThread::Waiting {
  std::function<void()> job;
  Loop* loop = nullptr;
  Event done{};  // set on the loop
};

FileThread::FileThread() : thread_(sandbox::start_thread("modules", [this] { work(); })) {}

FileThread::~FileThread() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

Task<void> FileThread::run(std::function<void()> job, Loop& loop) {
  auto waiting = std::make_shared<Waiting>(std::move(job), &loop);
  {
    std::lock_guard lock(mutex_);
    queue_.push_back(waiting);
  }
  changed_.notify_one();
  co_await waiting->done.wait();
}

void FileThread::work() {
  while (true) {
    std::shared_ptr<Waiting> waiting;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return ending_ || !queue_.empty(); });
      if (ending_) return;
      waiting = std::move(queue_.front());
      queue_.pop_front();
    }
    waiting->job();
    Loop& loop = *waiting->loop;
    loop.post([waiting = std::move(waiting)] { waiting->done.set(); });
  }
}

}  // namespace sandgate::modules
