// SPDX-License-Identifier: Apache-2.0
//
// A client of the same loop that has nothing to do with what goes wrong there: requests that no module sees, one after
// the other, from construction to end(). Its numbers say whether it was served all the time.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

namespace sandgate::test {

class Neighbour {
 public:
  // Returns when the first request was answered, so that what follows happens beside it.
  explicit Neighbour(std::uint16_t port);
  Neighbour(const Neighbour&) = delete;
  Neighbour& operator=(const Neighbour&) = delete;
  ~Neighbour() { end(); }

  void end();
  int served() const { return served_; }
  int failed() const { return failed_; }
  // From sending a request to having the whole answer.
  std::chrono::milliseconds longest_wait() const { return std::chrono::milliseconds(longest_wait_ms_); }

 private:
  void run(std::uint16_t port);

  std::atomic<bool> ended_{false};
  std::atomic<int> served_{0};
  std::atomic<int> failed_{0};
  std::atomic<std::int64_t> longest_wait_ms_{0};
  std::thread thread_;
};

}  // namespace sandgate::test
