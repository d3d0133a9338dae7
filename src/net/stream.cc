// SPDX-License-Identifier: Apache-2.0
#include "net/stream.h"

#include <sys/socket.h>

#include <cerrno>

#include "base/check.h"
#include "net/loop_thread.h"

namespace sandgate::net {
namespace {

constexpr std::uint32_t kInputEvents = EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR;
constexpr std::uint32_t kEndEvents = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
constexpr std::uint32_t kOutputEvents = EPOLLOUT | EPOLLHUP | EPOLLERR;

IoStatus unawaited_status(std::uint32_t events) {
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) return IoStatus::kBroken;
  return (events & EPOLLRDHUP) != 0 ? IoStatus::kEnd : IoStatus::kReady;
}

bool would_block(int error_number) { return error_number == EAGAIN || error_number == EWOULDBLOCK; }

}  // namespace

Stream* Stream::create(LoopThread& loop, platform::Descriptor socket) {
  auto* stream = new Stream(loop, std::move(socket));
  if (loop.poller().watch(stream->descriptor(), *stream)) return stream;
  stream->close();
  stream->release();
  return nullptr;
}

Stream::Stream(LoopThread& loop, platform::Descriptor socket)
    : loop_(loop),
      socket_(std::move(socket)),
      input_(loop.buffers()),
      read_timer_(loop, &Stream::read_timed_out, this),
      write_timer_(loop, &Stream::write_timed_out, this) {}

Stream::~Stream() {
  SANDGATE_CHECK(!reader_ && !writer_);
  close();
}

void Stream::ready(std::uint32_t events) {
  StreamPtr self = StreamPtr::share(*this);
  if ((events & kInputEvents) != 0) readable_ = true;
  if ((events & kEndEvents) != 0) peer_ended_ = true;
  if ((events & kOutputEvents) != 0) output_told_ = true;
  if (read_wants_output_ && (events & kOutputEvents) != 0) {
    read_wants_output_ = false;
    readable_ = true;
    events |= EPOLLIN;
  }
  if (writer_ && (events & kOutputEvents) != 0) resume_writer(IoStatus::kReady);
  if (closed_ || (events & kInputEvents) == 0) return;
  if (!reader_) {
    if (notify_ != nullptr) notify_(notify_owner_, unawaited_status(events));
  } else if (readable_ && pull()) {
    resume_reader(read_state_);
  }
}

// Reads once. False when the kernel has nothing.
bool Stream::pull() {
  std::span<char> room = input_.prepare();
  if (room.empty()) return true;
  if (tls_) return pull_secured(room);
  for (;;) {
    ssize_t count = ::recv(socket_.get(), room.data(), room.size(), MSG_DONTWAIT);
    if (count > 0) {
      auto bytes = static_cast<std::size_t>(count);
      input_.commit(bytes);
      // Less than there was room for: the kernel has no more, and tells when it has. But an end that it told already
      // would not be told again.
      if (bytes < room.size() && !peer_ended_) readable_ = false;
      return true;
    }
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && would_block(errno)) {
      readable_ = false;
      input_.rest();
      return false;
    }
    read_state_ = count == 0 ? IoStatus::kEnd : IoStatus::kBroken;
    return true;
  }
}

bool Stream::pull_secured(std::span<char> room) {
  if (shaking_hands_) return true;
  std::size_t count = 0;
  TlsChannel::Step step = tls_->read(room, &count);
  if (step == TlsChannel::Step::kDone) {
    // There may be more inside of TLS, of which the kernel knows nothing: only an empty read ends the edge.
    input_.commit(count);
    return true;
  }
  if (step == TlsChannel::Step::kWantsInput || step == TlsChannel::Step::kWantsOutput) {
    readable_ = false;
    read_wants_output_ = step == TlsChannel::Step::kWantsOutput;
    input_.rest();
    return false;
  }
  read_state_ = step == TlsChannel::Step::kEnd ? IoStatus::kEnd : IoStatus::kBroken;
  return true;
}

bool Stream::may_read_now() {
  if (last_turn_ != loop_.turn()) {
    last_turn_ = loop_.turn();
    reads_in_turn_ = 0;
  }
  return ++reads_in_turn_ <= kReadsPerTurn;
}

bool Stream::MoreAwaiter::await_ready() const {
  stream.read_result_ = stream.closed_ ? IoStatus::kBroken : stream.read_state_;
  if (stream.read_result_ != IoStatus::kReady) return true;
  if (!stream.readable_ || !stream.may_read_now() || !stream.pull()) return false;
  stream.read_result_ = stream.read_state_;
  return true;
}

void Stream::MoreAwaiter::await_suspend(std::coroutine_handle<> reader) const {
  SANDGATE_CHECK(!stream.reader_);
  stream.reader_ = reader;
  if (timeout.count() > 0) stream.read_timer_.arm(timeout);
  // There is more, but this stream had its share of the turn.
  if (stream.readable_) {
    stream.retain();
    stream.loop_.next_turn(&Stream::read_on, &stream);
  }
}

void Stream::read_on(void* owner) {
  StreamPtr stream(static_cast<Stream*>(owner));
  if (stream->reader_ && stream->readable_ && !stream->closed_ && stream->pull())
    stream->resume_reader(stream->read_state_);
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
  StreamPtr stream = StreamPtr::share(*static_cast<Stream*>(owner));
  if (stream->reader_) stream->resume_reader(IoStatus::kTimedOut);
}

bool Stream::silent() const {
  if (closed_ || read_state_ != IoStatus::kReady) return false;
  if (tls_) return tls_->silent();
  char byte;
  return ::recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && would_block(errno);
}

bool Stream::write_now(std::span<iovec>& pieces) { return !writing_ && send_some(pieces); }

// True when nothing is left.
bool Stream::send_some(std::span<iovec>& pieces) {
  if (tls_) return send_some_secured(pieces);
  while (!pieces.empty()) {
    if (output_broken()) return false;
    ssize_t sent = 0;
    if (pieces.size() == 1) {
      sent = ::send(socket_.get(), pieces[0].iov_base, pieces[0].iov_len, MSG_NOSIGNAL | MSG_DONTWAIT);
    } else {
      msghdr message{};
      message.msg_iov = pieces.data();
      message.msg_iovlen = pieces.size();
      sent = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (!would_block(errno)) output_broken_ = true;
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

bool Stream::send_some_secured(std::span<iovec>& pieces) {
  while (!pieces.empty()) {
    if (output_broken()) return false;
    iovec& piece = pieces.front();
    if (piece.iov_len > 0) {
      std::size_t sent = 0;
      TlsChannel::Step step = tls_->write({static_cast<const char*>(piece.iov_base), piece.iov_len}, &sent);
      if (step != TlsChannel::Step::kDone) {
        if (step != TlsChannel::Step::kWantsOutput) output_broken_ = true;
        return false;
      }
      bytes_written_ += sent;
      piece.iov_base = static_cast<char*>(piece.iov_base) + sent;
      piece.iov_len -= sent;
    }
    if (piece.iov_len == 0) pieces = pieces.subspan(1);
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
    if (timeout.count() > 0) stream.write_timer_.arm(timeout);
  }
  IoStatus await_resume() const { return stream.write_result_; }
};

void Stream::resume_writer(IoStatus status) {
  write_timer_.disarm();
  write_result_ = status;
  std::exchange(writer_, nullptr).resume();
}

void Stream::write_timed_out(void* owner) {
  StreamPtr stream = StreamPtr::share(*static_cast<Stream*>(owner));
  if (stream->writer_) stream->resume_writer(IoStatus::kTimedOut);
}

Task<IoStatus> Stream::write(std::span<iovec> pieces, Milliseconds timeout) {
  if (writing_) {
    written_.reset();
    co_await written_.wait();
  }
  writing_ = true;
  IoStatus status = IoStatus::kReady;
  while (!send_some(pieces)) {
    status = IoStatus::kBroken;
    if (output_broken()) break;
    status = co_await WritableAwaiter{*this, timeout};
    if (status != IoStatus::kReady) break;
  }
  if (status != IoStatus::kReady) output_broken_ = true;
  writing_ = false;
  // The one who waited goes on from within this call.
  written_.set();
  co_return status;
}

Task<int> Stream::connected(Milliseconds timeout) {
  IoStatus status = closed_ ? IoStatus::kBroken : IoStatus::kReady;
  if (!closed_ && !output_told_) status = co_await WritableAwaiter{*this, timeout};
  if (status == IoStatus::kTimedOut) co_return ETIMEDOUT;
  if (status != IoStatus::kReady) co_return ECANCELED;
  int error_number = 0;
  socklen_t length = sizeof(error_number);
  ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error_number, &length);
  co_return error_number;
}

Task<Status> Stream::secure(std::unique_ptr<TlsChannel> channel, Milliseconds timeout) {
  tls_ = std::move(channel);
  tls_->attach(socket_.get());
  shaking_hands_ = true;
  Nanoseconds deadline = loop_.now() + timeout;
  for (;;) {
    if (closed_) co_return fail(ErrorKind::kDisconnected, "the connection was given up");
    TlsChannel::Step step = tls_->handshake();
    if (step == TlsChannel::Step::kDone) break;
    if (step == TlsChannel::Step::kEnd || step == TlsChannel::Step::kBroken)
      co_return fail(ErrorKind::kUpstream, "the TLS handshake failed", tls_->failure());
    // In all, however steadily it drips.
    Milliseconds left = std::chrono::duration_cast<Milliseconds>(deadline - loop_.now());
    IoStatus status = IoStatus::kTimedOut;
    if (left.count() > 0 && step == TlsChannel::Step::kWantsInput) {
      // Nothing more came: what comes later is told.
      readable_ = false;
      status = co_await more(left);
    } else if (left.count() > 0) {
      status = co_await WritableAwaiter{*this, left};
    }
    if (closed_) co_return fail(ErrorKind::kDisconnected, "the connection was given up");
    if (status == IoStatus::kTimedOut) co_return fail(ErrorKind::kTimedOut, "the TLS handshake took too long");
  }
  shaking_hands_ = false;
  // What came with the last flight may be inside of TLS already.
  readable_ = true;
  co_return Status();
}

void Stream::shutdown_write() {
  if (!closed_ && tls_) tls_->say_goodbye();
  if (!closed_) ::shutdown(socket_.get(), SHUT_WR);
}

void Stream::close() {
  if (closed_) return;
  closed_ = true;
  if (tls_) tls_->say_goodbye();
  loop_.poller().unwatch(socket_.get(), *this);
  socket_.reset();
  // Not from within this call: who closes is often in the middle of what the waiter would end.
  if (reader_ || writer_) {
    retain();
    loop_.next_turn(&Stream::end_waits, this);
  }
}

void Stream::end_waits(void* owner) {
  StreamPtr stream(static_cast<Stream*>(owner));
  if (stream->reader_) stream->resume_reader(IoStatus::kBroken);
  if (stream->writer_) stream->resume_writer(IoStatus::kBroken);
}

void Stream::reset() {
  if (closed_) return;
  linger now{1, 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  close();
}

}  // namespace sandgate::net
