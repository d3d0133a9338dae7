// SPDX-License-Identifier: Apache-2.0
#include "net/request_body.h"

#include <sys/uio.h>

namespace sandgate::net {
namespace {
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
}

RequestBody::RequestBody(Stream& stream, http::BodyFraming framing, bool expects_continue, Milliseconds timeout, Arena& arena,
                         std::uint64_t& bytes_read)
    : stream_(stream),
      framing_(framing),
      decoder_(framing, arena),
      timeout_(timeout),
      bytes_read_(bytes_read),
      expects_continue_(expects_continue && !decoder_.ended()) {
  if (decoder_.ended()) stream_.start_read();
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

Task<Status> RequestBody::send_continue() {
  expects_continue_ = false;
  iovec piece{const_cast<char*>(kContinue.data()), kContinue.size()};
  IoStatus status = co_await stream_.write({&piece, 1}, timeout_);
  if (status != IoStatus::kReady) co_return fail(ErrorKind::kDisconnected, "the client left");
  co_return Status();
}

Task<Result<std::string_view>> RequestBody::read() {
  using Kind = http::BodyDecoder::Step::Kind;
  stream_.consume(handed_out_);
  handed_out_ = 0;
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
    if (expects_continue_ && !response_started_) {
      Status sent = co_await send_continue();
      if (!sent) co_return fail(std::move(sent.error()));
    }
    std::size_t before = stream_.input().size();
    IoStatus status = co_await stream_.more(timeout_);
    if (stream_.input().size() > before) continue;
    broken_ = true;
    if (aborted_) co_return fail(ErrorKind::kDisconnected, "the request body was given up");
    if (status == IoStatus::kTimedOut) co_return fail(ErrorKind::kTimedOut, "the request body did not arrive in time");
    co_return fail(ErrorKind::kDisconnected, "the client left in the middle of its request");
  }
  // From here on a client that leaves is noticed at once.
  stream_.start_read();
  co_return std::string_view();
}

bool RequestBody::drainable() const {
  if (decoder_.ended()) return true;
  if (aborted_ || broken_ || expects_continue_) return false;
  return framing_.kind == http::BodyFraming::Kind::kLength && decoder_.remaining() <= kDrainBytesMax;
}

Task<bool> RequestBody::drain() {
  if (!drainable()) co_return false;
  while (!decoder_.ended()) {
    Result<std::string_view> piece = co_await read();
    if (!piece) co_return false;
  }
  co_return true;
}

}  // namespace sandgate::net
