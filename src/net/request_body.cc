// SPDX-License-Identifier: Apache-2.0
#include "net/request_body.h"

#include <sys/uio.h>

#include <utility>

#include "net/loop_thread.h"

namespace sandgate::net {
namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

RequestBody::RequestBody(Stream& stream, http::BodyFraming framing, Expectation expectation, Milliseconds timeout,
                         Arena& arena, std::uint64_t& bytes_read)
    : stream_(stream),
      framing_(framing),
      decoder_(framing, arena),
      timeout_(timeout),
      bytes_read_(bytes_read),
      expects_continue_(expectation == Expectation::kContinue && !decoder_.ended()) {
  if (decoder_.ended()) {
    stream_.rest();
  } else {
    stream_.expect(decoder_.remaining());
  }
}

std::optional<std::uint64_t> RequestBody::length() const {
  if (framing_.kind == http::BodyFraming::Kind::kNone) return 0;
  if (framing_.kind == http::BodyFraming::Kind::kLength) return framing_.length;
  return std::nullopt;
}

void RequestBody::abort() {
  if (decoder_.ended()) return;
  aborted_ = true;
  stream_.interrupt_read();
}

void RequestBody::release_piece() { stream_.consume(std::exchange(handed_out_, 0)); }

Task<Status> RequestBody::send_continue() {
  expects_continue_ = false;
  iovec piece{const_cast<char*>(kContinue.data()), kContinue.size()};
  IoStatus status = co_await stream_.write({&piece, 1}, timeout_);
  if (status != IoStatus::kReady) co_return fail(ErrorKind::kDisconnected, "the client left");
  co_return Status();
}

// Waits for bytes.
Task<Status> RequestBody::receive() {
  if (expects_continue_ && !response_started_) {
    Status sent = co_await send_continue();
    if (!sent || aborted_) co_return sent;
  }
  std::size_t before = stream_.input().size();
  IoStatus status = co_await stream_.more(timeout_);
  if (stream_.input().size() > before) co_return Status();
  broken_ = true;
  if (aborted_) co_return fail(ErrorKind::kDisconnected, "the request body was given up");
  if (status == IoStatus::kTimedOut) {
    co_return fail(ErrorKind::kTimedOut, "the request body did not arrive in time");
  }
  co_return fail(ErrorKind::kDisconnected, "the client left in the middle of its request");
}

Task<Result<std::string_view>> RequestBody::read() {
  using Kind = http::BodyDecoder::Step::Kind;
  release_piece();
  while (!decoder_.ended()) {
    if (aborted_ || broken_) co_return fail(ErrorKind::kDisconnected, "the request body was given up");
    http::BodyDecoder::Step step = decoder_.decode(stream_.input());
    if (step.kind == Kind::kData) {
      // Consumed at the next read: the piece is a view into the input.
      handed_out_ = step.consumed;
      expects_continue_ = false;
      bytes_read_ += step.data.size();
      co_return step.data;
    }
    stream_.consume(step.consumed);
    if (step.kind == Kind::kEnd) break;
    if (step.kind == Kind::kBroken) {
      broken_ = true;
      co_return fail(ErrorKind::kInvalid, std::string(step.reason));
    }
    Status received = co_await receive();
    if (!received) co_return fail(std::move(received.error()));
  }
  stream_.expect(0);
  stream_.rest();
  co_return std::string_view();
}

bool RequestBody::drainable() const {
  if (decoder_.ended()) return true;
  if (aborted_ || broken_ || expects_continue_) return false;
  return framing_.kind == http::BodyFraming::Kind::kLength && decoder_.remaining() <= kDrainBytesMax;
}

Task<bool> RequestBody::drain(Milliseconds in_all) {
  release_piece();
  if (!drainable()) co_return false;
  Nanoseconds deadline = stream_.loop().now() + in_all;
  while (!decoder_.ended()) {
    timeout_ = std::chrono::duration_cast<Milliseconds>(deadline - stream_.loop().now());
    if (timeout_.count() <= 0) co_return false;
    Result<std::string_view> piece = co_await read();
    if (!piece) co_return false;
    release_piece();
  }
  stream_.expect(0);
  co_return true;
}

}  // namespace sandgate::net
