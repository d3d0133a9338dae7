// SPDX-License-Identifier: Apache-2.0
//
// Tells the owners of descriptors when these can be read or written: epoll, edge-triggered, one registration for a
// descriptor's whole life. An edge is told once: who is told reads or writes until the kernel has no more, or remembers
// that there is more. One per loop, its thread only; but wake() may come from any thread, and watch() from another one
// as long as the loop does not run.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "platform/descriptor.h"

namespace sandgate::net {

class Poller {
 public:
  class Watcher {
   public:
    // `events`: EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP, EPOLLERR: what is the case now. May unwatch and destroy any
    // watcher, this one included.
    virtual void ready(std::uint32_t events) = 0;

   protected:
    ~Watcher() = default;
  };

  // Descriptors told of per poll(): bounds how long posted jobs and timers wait for I/O.
  static constexpr std::size_t kBatch = 256;

  // Ends the process when the system has no descriptor left: loops are made at start only.
  Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  // False when the system has no memory or no watch left. `watcher` must unwatch before it ends.
  [[nodiscard]] bool watch(int descriptor, Watcher& watcher);
  // Tells once more what is the case: for a watcher that stopped before the kernel had no more.
  void tell_again(int descriptor, Watcher& watcher);
  // To be called before the descriptor is closed: a child process that is just being made may still hold it, and then
  // closing alone would not end the registration. Nothing more is told, not even what this poll() found already.
  void unwatch(int descriptor, const Watcher& watcher);

  // Waits for events, at most `timeout_ms` (-1: without bound), and tells the watchers.
  void poll(int timeout_ms);
  // Makes a poll() that waits, or the next one, return at once. Any thread.
  void wake();

 private:
  platform::Descriptor epoll_;
  platform::Descriptor wake_;
  std::array<epoll_event, kBatch> events_;
  // The events of the running poll() not told yet: [next_, count_).
  std::size_t next_ = 0;
  std::size_t count_ = 0;
};

}  // namespace sandgate::net
