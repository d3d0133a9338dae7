// SPDX-License-Identifier: Apache-2.0
//
// A connected socket with buffered input: what server and client connections are built on. At most one read of the socket is outstanding; it may be started ahead of need
// (start_read), which is how a peer that leaves is noticed while nobody waits for bytes. Reference counted on its loop: outstanding operations keep it, so closing never
// pulls memory from under the kernel. Loop thread only. Waits end by value, never by exception.
#pragma once

#include <sys/uio.h>

#include <coroutine>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/loop.h"
#include "base/task.h"
#include "net/asio.h"
#include "net/input_buffer.h"

namespace sandgate::net {

class LoopThread;

enum class IoStatus : unsigned char {
  kReady,      // more input is there, or the socket takes output
  kEnd,        // the peer sent its last byte
  kBroken,     // reset, or closed by us
  kTimedOut,
};

class Stream {
 public:
  // Takes the socket, which must be non-blocking. The creator holds the first reference.
  static Stream* create(LoopThread& loop, Socket socket);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  void retain() { ++references_; }
  void release() {
    if (--references_ == 0) delete this;
  }

  LoopThread& loop() const { return loop_; }
  Socket& socket() { return socket_; }

  // Input received and not consumed.
  std::string_view input() const { return input_.bytes(); }
  void consume(std::size_t count) { input_.consume(count); }
  // Nothing is buffered and nobody will look at old input: gives borrowed memory back. Not while a read is outstanding.
  void rest() {
    if (!reading_) input_.rest();
  }

  // Starts a read unless one is outstanding or the input is at its end or full. Views into the input become invalid.
  void start_read();
  bool reading() const { return reading_; }
  // The state of the input: kReady while more may come.
  IoStatus read_state() const { return read_state_; }

  // Waits until the input grew, ended, broke, or `timeout` (0: none) passed. Starts a read when none is outstanding. One waiter at a time. kReady with nothing new
  // means that the buffer is full.
  struct MoreAwaiter;
  MoreAwaiter more(Milliseconds timeout);
  // Makes the waiter, if any, return kBroken.
  void interrupt_read();

  // Called when input arrives, ends or breaks while nobody waits. May be null.
  using Notify = void (*)(void* owner, IoStatus status);
  void on_unawaited_input(Notify notify, void* owner) {
    notify_ = notify;
    notify_owner_ = owner;
  }

  // Sends everything. `timeout` bounds the time without progress. kBroken or kTimedOut: nothing more can be sent. One writer at a time. The pieces are changed.
  Task<IoStatus> write(std::span<iovec> pieces, Milliseconds timeout);
  // One attempt without waiting, for the common case: true when everything went; otherwise `pieces` is what is left (check broken_output()).
  bool write_now(std::span<iovec>& pieces);
  bool output_broken() const { return output_broken_; }
  // Bytes given to the kernel so far.
  std::uint64_t bytes_written() const { return bytes_written_; }

  void shutdown_write();
  // Ends waits with kBroken. Idempotent.
  void close();
  bool closed() const { return closed_; }

 private:
  Stream(LoopThread& loop, Socket socket);
  ~Stream() = default;

  struct WritableAwaiter;
  void read_ended(const boost::system::error_code& failure, std::size_t bytes);
  void resume_reader(IoStatus status);
  void resume_writer(IoStatus status);
  static void read_timed_out(void* owner);
  static void write_timed_out(void* owner);

  LoopThread& loop_;
  Socket socket_;
  InputBuffer input_;
  Timer read_timer_;
  Timer write_timer_;
  std::coroutine_handle<> reader_;
  std::coroutine_handle<> writer_;
  Notify notify_ = nullptr;
  void* notify_owner_ = nullptr;
  std::uint64_t bytes_written_ = 0;
  std::uint32_t references_ = 1;
  IoStatus read_state_ = IoStatus::kReady;
  IoStatus read_result_ = IoStatus::kReady;
  IoStatus write_result_ = IoStatus::kReady;
  bool reading_ = false;
  bool waiting_writable_ = false;
  bool output_broken_ = false;
  bool closed_ = false;
};

struct Stream::MoreAwaiter {
  Stream& stream;
  Milliseconds timeout;

  bool await_ready() const;
  void await_suspend(std::coroutine_handle<> reader) const;
  IoStatus await_resume() const { return stream.read_result_; }
};

inline Stream::MoreAwaiter Stream::more(Milliseconds timeout) { return {*this, timeout}; }

// One reference to a stream.
class StreamPtr {
 public:
  StreamPtr() = default;
  // Adopts the reference.
  explicit StreamPtr(Stream* stream) : stream_(stream) {}
  StreamPtr(const StreamPtr& other) : stream_(other.stream_) {
    if (stream_ != nullptr) stream_->retain();
  }
  StreamPtr(StreamPtr&& other) noexcept : stream_(std::exchange(other.stream_, nullptr)) {}
  StreamPtr& operator=(StreamPtr other) noexcept {
    std::swap(stream_, other.stream_);
    return *this;
  }
  ~StreamPtr() {
    if (stream_ != nullptr) stream_->release();
  }
  Stream* operator->() const { return stream_; }
  Stream& operator*() const { return *stream_; }
  explicit operator bool() const { return stream_ != nullptr; }

 private:
  Stream* stream_ = nullptr;
};

}  // namespace sandgate::net
