// SPDX-License-Identifier: Apache-2.0
//
// Task<T>: a coroutine that starts when it is awaited and resumes its awaiter when it ends, on the same thread and
// without growing the stack (symmetric transfer). Frames come from a free list of the thread (frame_pool.h). A Task is
// awaited at most once. A suspended Task must not be destroyed while something outside still means to resume it: cancel
// what it waits for instead (base/loop.h).
//
// Rules: no capturing lambda coroutines, one co_await per statement, parameters by value or with a stated owner. Errors
// are Results; an exception that leaves a coroutine ends the process.
#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <new>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/frame_pool.h"

namespace sandgate {

template <typename T>
class [[nodiscard]] Task;

namespace task_internal {

struct PromiseBase {
  std::coroutine_handle<> awaiter = std::noop_coroutine();

  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <typename Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
      return ended.promise().awaiter;
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  FinalAwaiter final_suspend() const noexcept { return {}; }
  [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }

  static void* operator new(std::size_t bytes) { return frame_pool::allocate(bytes); }
  static void operator delete(void* frame, std::size_t bytes) { frame_pool::release(frame, bytes); }
};

template <typename T>
struct Promise : PromiseBase {
  std::optional<T> value;
  Task<T> get_return_object();
  template <typename U>
  void return_value(U&& result) {
    value.emplace(std::forward<U>(result));
  }
  T take() { return std::move(*value); }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object();
  void return_void() const noexcept {}
  void take() const noexcept {}
};

}  // namespace task_internal

template <typename T>
class [[nodiscard]] Task {
 public:
  using promise_type = task_internal::Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  explicit Task(Handle handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiter) noexcept {
    handle_.promise().awaiter = awaiter;
    return handle_;
  }
  T await_resume() { return handle_.promise().take(); }

 private:
  Handle handle_;
};

namespace task_internal {
template <typename T>
Task<T> Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise>::from_promise(*this));
}
}  // namespace task_internal

// A coroutine that nobody awaits: it runs at once until its first suspension and frees itself at its end. For the roots
// only (a connection, a background job); whoever starts one must keep what it uses alive until it ends.
class Detached {
 public:
  struct promise_type {
    Detached get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
    static void* operator new(std::size_t bytes) { return frame_pool::allocate(bytes); }
    static void operator delete(void* frame, std::size_t bytes) { frame_pool::release(frame, bytes); }
  };
};

// Suspends one coroutine until somebody calls set(). Single-threaded; set() resumes the waiter at once, from within the
// call. set() before wait() makes wait() pass; reset() arms it again.
class Event {
 public:
  void set() {
    set_ = true;
    if (waiter_) std::exchange(waiter_, nullptr).resume();
  }
  void reset() { set_ = false; }
  bool is_set() const { return set_; }
  bool has_waiter() const { return static_cast<bool>(waiter_); }

  struct Awaiter {
    Event& event;
    bool await_ready() const noexcept { return event.set_; }
    void await_suspend(std::coroutine_handle<> waiter) const {
      SANDGATE_CHECK(!event.waiter_);
      event.waiter_ = waiter;
    }
    void await_resume() const noexcept {}
  };
  Awaiter wait() { return {*this}; }

 private:
  std::coroutine_handle<> waiter_;
  bool set_ = false;
};

}  // namespace sandgate
