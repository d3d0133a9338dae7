// SPDX-License-Identifier: Apache-2.0
//
// Cancelling an exchange: a suspended coroutine cannot be destroyed from outside, so whoever waits for something
// registers how to stop the waiting; cancel() runs these, the waits end with an error, and the frames unwind by
// themselves. Loop thread only.
#pragma once

#include <string_view>

#include "base/error.h"

namespace sandgate {

class Cancellation;

// One registered way to stop waiting. Lives in the waiting coroutine's frame; unregisters itself.
class CancelHook {
 public:
  using Stop = void (*)(void* owner);

  CancelHook(Cancellation& cancellation, Stop stop, void* owner);
  CancelHook(const CancelHook&) = delete;
  CancelHook& operator=(const CancelHook&) = delete;
  ~CancelHook();

 private:
  friend class Cancellation;
  Cancellation& cancellation_;
  Stop stop_;
  void* owner_;
  CancelHook* previous_ = nullptr;
  CancelHook* next_ = nullptr;
};

class Cancellation {
 public:
  // Runs every registered stop once; later hooks see cancelled() and must not start to wait. Idempotent: the first
  // reason stays.
  void cancel(ErrorKind kind, std::string_view reason);
  bool cancelled() const { return cancelled_; }
  // kDisconnected when the client left, kTimedOut, or kOverloaded while draining.
  ErrorKind kind() const { return kind_; }
  // Static text.
  std::string_view reason() const { return reason_; }

 private:
  friend class CancelHook;
  CancelHook* hooks_ = nullptr;
  std::string_view reason_;
  ErrorKind kind_ = ErrorKind::kInternal;
  bool cancelled_ = false;
};

}  // namespace sandgate
