// SPDX-License-Identifier: Apache-2.0
//
// A socket with buffered input: what server and client connections are built on. Nothing is read unless somebody waits
// for it, so views into the input stay where they are while others run; a peer that leaves is noticed all the same,
// from the edge that the kernel tells. Reference counted on its loop, so that whoever is resumed may let go of it. Loop
// thread only. Waits end by value, never by exception.
#pragma once

#include <sys/uio.h>

#include <coroutine>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "base/loop.h"
#include "base/result.h"
#include "base/task.h"
#include "net/input_buffer.h"
#include "net/poller.h"
#include "net/tls_client.h"
#include "platform/descriptor.h"

namespace sandgate::net {

class LoopThread;

enum class IoStatus : unsigned char {
  kReady,   // more input is there, or the socket takes output
  kEnd,     // the peer sent its last byte
  kBroken,  // reset, closed by us, or interrupted
  kTimedOut,
};

class Stream final : private Poller::Watcher {
 public:
  // Takes a non-blocking socket, connected or connecting. The caller holds the first reference. Null when the system
  // cannot watch another one.
  static Stream* create(LoopThread& loop, platform::Descriptor socket);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  void retain() { ++references_; }
  void release() {
    if (--references_ == 0) delete this;
  }

  LoopThread& loop() const { return loop_; }
  int descriptor() const { return socket_.get(); }

  // Input received and not consumed. Valid until the next more() or rest().
  std::string_view input() const { return input_.bytes(); }
  void consume(std::size_t count) { input_.consume(count); }
  // About this many bytes are still to come (0: unknown), so that they are read with few system calls.
  void expect(std::uint64_t bytes) { input_.expect(bytes); }
  // Nobody will look at old input: when nothing is buffered, gives borrowed memory back.
  void rest() { input_.rest(); }

  // The state of the input as far as it was read: kReady while more may come.
  IoStatus read_state() const { return read_state_; }
  // Waits until the input grew, ended, broke, or `timeout` (0: none) passed. One waiter at a time. kReady with nothing
  // new means that the buffer is full.
  struct MoreAwaiter;
  MoreAwaiter more(Milliseconds timeout);
  // Makes the waiter, if any, return kBroken: at once, from within this call.
  void interrupt_read();
  // Whether the kernel holds neither bytes nor an end for us. One system call.
  bool silent() const;

  // Called when input arrives, ends or breaks while nobody waits for it; once for each edge, with nothing read. May
  // delete its owner and let go of the stream.
  using Notify = void (*)(void* owner, IoStatus status);
  void on_unawaited_input(Notify notify, void* owner) {
    notify_ = notify;
    notify_owner_ = owner;
  }

  // Sends everything. `timeout` bounds the time without progress. kBroken or kTimedOut: nothing more can be sent. While
  // one writer waits, one more may come; its bytes follow. The pieces are changed.
  Task<IoStatus> write(std::span<iovec> pieces, Milliseconds timeout);
  // One attempt without waiting, for the common case: true when everything went; otherwise `pieces` is what is left
  // (and output_broken() says whether it can still go). Sends nothing while a writer waits.
  bool write_now(std::span<iovec>& pieces);
  bool output_broken() const { return output_broken_ || closed_; }
  // Bytes given to the kernel so far.
  std::uint64_t bytes_written() const { return bytes_written_; }
  // Waits for a connect in progress to end: 0, or why not (errno; ETIMEDOUT after `timeout`, ECANCELED when closed).
  Task<int> connected(Milliseconds timeout);

  // From here on bytes are those inside of TLS. Once, when connected and before anything was read or written; kUpstream
  // says why in its cause, kTimedOut when the peer is silent for `timeout`, kDisconnected when the stream was closed.
  Task<Status> secure(std::unique_ptr<TlsChannel> channel, Milliseconds timeout);

  void shutdown_write();
  // Closes. Waits end with kBroken on the next turn. Idempotent.
  void close();
  // The same, so that the peer sees a reset instead of an orderly end, and the kernel drops what it did not take.
  void reset();
  bool closed() const { return closed_; }

 private:
  // So that one fast peer leaves turns to others: at most 16 x 64 KiB at a time.
  static constexpr unsigned kReadsPerTurn = 16;

  struct WritableAwaiter;

  bool send_some(std::span<iovec>& pieces);
  bool send_some_secured(std::span<iovec>& pieces);
  bool pull_secured(std::span<char> room);

  Stream(LoopThread& loop, platform::Descriptor socket);
  ~Stream();

  void ready(std::uint32_t events) override;
  bool may_read_now();
  bool pull();
  void resume_reader(IoStatus status);
  void resume_writer(IoStatus status);
  static void read_timed_out(void* owner);
  static void write_timed_out(void* owner);
  static void read_on(void* owner);
  static void end_waits(void* owner);

  LoopThread& loop_;
  platform::Descriptor socket_;
  std::uint32_t references_ = 1;
  InputBuffer input_;
  std::unique_ptr<TlsChannel> tls_;  // null: plain
  Timer read_timer_;
  Timer write_timer_;
  std::coroutine_handle<> reader_;
  std::coroutine_handle<> writer_;
  Event written_;  // the writer that waited is through
  Notify notify_ = nullptr;
  void* notify_owner_ = nullptr;
  std::uint64_t bytes_written_ = 0;
  std::uint32_t last_turn_ = 0;  // when reads_in_turn_ was counted
  std::uint16_t reads_in_turn_ = 0;
  IoStatus read_state_ = IoStatus::kReady;
  IoStatus read_result_ = IoStatus::kReady;
  IoStatus write_result_ = IoStatus::kReady;
  bool readable_ = false;     // the kernel may have more than was read
  bool output_told_ = false;  // the kernel has told once that the socket takes output, or never will
  bool peer_ended_ = false;   // an end or an error waits behind what was not read
  bool writing_ = false;      // between the first and the last byte of a write that had to wait
  bool output_broken_ = false;
  bool closed_ = false;
  bool shaking_hands_ = false;      // input is TLS's own
  bool read_wants_output_ = false;  // TLS must write before it can read on
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
  // One reference more.
  static StreamPtr share(Stream& stream) {
    stream.retain();
    return StreamPtr(&stream);
  }
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
