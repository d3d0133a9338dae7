// SPDX-License-Identifier: Apache-2.0
#include "modules/parallel.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "sandbox/thread.h"

namespace sandgate::modules {
namespace {

// More threads than cores gain nothing, and each may hold a module in memory.
constexpr std::size_t kThreadsMax = 4;

}  // namespace

void run_parallel(std::size_t count, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  auto take = [&] {
    for (std::size_t i = next.fetch_add(1); i < count; i = next.fetch_add(1)) work(i);
  };
  std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < std::min({cores, kThreadsMax, count}); ++i)
    threads.push_back(sandbox::start_thread(fmt::format("load-{}", i), take));
  take();
  for (std::thread& thread : threads) thread.join();
}

}  // namespace sandgate::modules
