// SPDX-License-Identifier: Apache-2.0
//
// One thread for what blocks: files, digests, the index. Jobs run one after the other, in the order in which they came.
// Thread-safe. Ends with the job that runs; jobs that wait are dropped, and who waits for them is not resumed.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "base/loop.h"
#include "base/task.h"

namespace sandgate::modules {

class FileThread {
 public:
  FileThread();
  ~FileThread();
  FileThread(const FileThread&) = delete;
  FileThread& operator=(const FileThread&) = delete;

  // Runs `job` on the thread; the Task resumes on `loop`, the caller's. The job owns what it uses: whoever waits may be
  // gone when it runs. Callers bound how many of them wait.
  Task<void> run(std::function<void()> job, Loop& loop);

 private:
  struct Waiting;
  void work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Waiting>> queue_;
  bool ending_ = false;
  std::thread thread_;  // the last member: it uses the others
};

}  // namespace sandgate::modules
