// SPDX-License-Identifier: Apache-2.0
//
// Bounds the connections to one server over all loops, and is told when there is room again. Asked on loop threads, by
// several at once.
#pragma once

#include <utility>

#include "base/loop.h"

namespace sandgate::net {

class ConnectionBound {
 public:
  virtual ~ConnectionBound() = default;
  // Whether one more may be made; then it counts until closed().
  virtual bool try_open() = 0;
  virtual void closed(Loop& loop) = 0;
  // A connection of this loop has nothing to do. Whether the pool keeps it; otherwise it is closed.
  virtual bool keep_idle(Loop& loop) = 0;
};

// One connection's place under a bound.
class ConnectionPermit {
 public:
  ConnectionPermit() = default;
  // A try_open() that said yes; `bound` may be null.
  ConnectionPermit(ConnectionBound* bound, Loop& loop) : bound_(bound), loop_(&loop) {}
  ConnectionPermit(ConnectionPermit&& other) noexcept
      : bound_(std::exchange(other.bound_, nullptr)), loop_(other.loop_) {}
  ConnectionPermit& operator=(ConnectionPermit&&) = delete;
  ~ConnectionPermit() {
    if (bound_ != nullptr) bound_->closed(*loop_);
  }

 private:
  ConnectionBound* bound_ = nullptr;
  Loop* loop_ = nullptr;
};

}  // namespace sandgate::net
