// SPDX-License-Identifier: Apache-2.0
//
// Looks names up beside the loops: asking the system may take seconds. Thread-safe.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "base/loop.h"
#include "base/result.h"
#include "net/address.h"

namespace sandgate::capability {

class NameLookup {
 public:
  using Found = std::function<void(Result<net::Address>)>;

  NameLookup();
  // Waits for the look-up that runs; the others are dropped.
  ~NameLookup();
  NameLookup(const NameLookup&) = delete;
  NameLookup& operator=(const NameLookup&) = delete;

  // Calls `found` on `loop`. Callers ask once at a time.
  void ask(std::string host, std::uint16_t port, Loop& loop, Found found);

 private:
  struct Question {
    std::string host;
    std::uint16_t port;
    Loop* loop;
    Found found;
  };
  void work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Question> questions_;
  bool ending_ = false;
  std::thread thread_;  // the last member: it uses the others
};

}  // namespace sandgate::capability
