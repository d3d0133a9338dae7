// SPDX-License-Identifier: Apache-2.0
#include "net/stream.h"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "net/loop_thread.h"

namespace sandgate::net {

Stream* Stream::create(LoopThread& loop, Socket socket) { return new Stream(loop, std::move(socket)); }

Stream::Stream(LoopThread& loop, Socket socket)
    : loop_(loop),
      socket_(std::move(socket)),
      input_(loop.buffers()),
      read_timer_(loop, &Stream::read_timed_out, this),
      write_timer_(loop, &Stream::write_timed_out, this) {}

void Stream::start_read() {
  if (reading_ || closed_ || read_state_ != IoStatus::kReady) return;
  std::span<char> room = input_.prepare();
  if (room.empty()) return;
  reading_ = true;
  socket_.async_read_some(asio::buffer(room.data(), room.size()),
                          [self = StreamPtr((retain(), this))](const boost::system::error_code& failure, std::size_t bytes) {
                            self->read_ended(failure, bytes);
                          });
}

void Stream::read_ended(const boost::system::error_code& failure, std::size_t bytes) {
  reading_ = false;
  if (!failure) {
    input_.commit(bytes);
  } else if (failure == asio::error::eof) {
    read_state_ = IoStatus::kEnd;
  } else {
    read_state_ = IoStatus::kBroken;
  }
  if (reader_) return resume_reader(read_state_);
  if (notify_ != nullptr && !closed_) notify_(notify_owner_, read_state_);
}

void Stream::resume_reader(IoStatus status) {
  read_timer_.disarm();
  read_result_ = status;
  std::exchange(reader_, nullptr).resume();
}

void Stream::interrupt_read() {
  if (reader_) resume_reader(IoStatus::kBroken);
}

void Stream::read_timed_out(void* owner) {
  auto& stream = *static_cast<Stream*>(owner);
  if (stream.reader_) stream.resume_reader(IoStatus::kTimedOut);
}

bool Stream::MoreAwaiter::await_ready() const {
  stream.start_read();
  if (stream.reading_) return false;
  stream.read_result_ = stream.closed_ ? IoStatus::kBroken : stream.read_state_;
  return true;
}

void Stream::MoreAwaiter::await_suspend(std::coroutine_handle<> reader) const {
  SANDGATE_CHECK(!stream.reader_);
  stream.reader_ = reader;
  if (timeout.count() > 0) stream.read_timer_.arm(timeout);
}

bool Stream::write_now(std::span<iovec>& pieces) {
  while (!pieces.empty()) {
    if (closed_ || output_broken_) return false;
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = pieces.size();
    ssize_t sent = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) output_broken_ = true;
      return false;
    }
    auto left = static_cast<std::size_t>(sent);
    bytes_written_ += left;
    while (!pieces.empty() && left >= pieces.front().iov_len) {
      left -= pieces.front().iov_len;
      pieces = pieces.subspan(1);
    }
    if (left > 0) {
      pieces.front().iov_base = static_cast<char*>(pieces.front().iov_base) + left;
      pieces.front().iov_len -= left;
    }
  }
  return true;
}

struct Stream::WritableAwaiter {
  Stream& stream;
  Milliseconds timeout;

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> writer) const {
    SANDGATE_CHECK(!stream.writer_);
    stream.writer_ = writer;
    stream.write_timer_.arm(timeout);
    if (stream.waiting_writable_) return;
    stream.waiting_writable_ = true;
    stream.socket_.async_wait(Socket::wait_write, [self = StreamPtr((stream.retain(), &stream))](const boost::system::error_code& failure) {
      self->waiting_writable_ = false;
      if (self->writer_) self->resume_writer(failure ? IoStatus::kBroken : IoStatus::kReady);
    });
  }
  IoStatus await_resume() const { return stream.write_result_; }
};

void Stream::resume_writer(IoStatus status) {
  write_timer_.disarm();
  write_result_ = status;
  std::exchange(writer_, nullptr).resume();
}

void Stream::write_timed_out(void* owner) {
  auto& stream = *static_cast<Stream*>(owner);
  if (stream.writer_) stream.resume_writer(IoStatus::kTimedOut);
}

Task<IoStatus> Stream::write(std::span<iovec> pieces, Milliseconds timeout) {
  while (!write_now(pieces)) {
    if (closed_ || output_broken_) co_return IoStatus::kBroken;
    IoStatus status = co_await WritableAwaiter{*this, timeout};
    if (status != IoStatus::kReady) {
      output_broken_ = true;
      co_return status;
    }
  }
  co_return IoStatus::kReady;
}

void Stream::shutdown_write() {
  boost::system::error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
}

void Stream::close() {
  if (closed_) return;
  closed_ = true;
  boost::system::error_code ignored;
  // Outstanding operations end with operation_aborted on a later turn and resume their waiters; a waiter without an operation (the buffer was full) cannot exist.
  socket_.close(ignored);
}

}  // namespace sandgate::net
