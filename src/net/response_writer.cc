// SPDX-License-Identifier: Apache-2.0
#include "net/response_writer.h"

#include <sys/uio.h>

#include <array>

#include "http/body_decoder.h"
#include "http/head_writer.h"
#include "net/loop_thread.h"

namespace sandgate::net {
namespace {

using Kind = http::BodyFraming::Kind;

iovec piece_of(std::string_view bytes) { return {const_cast<char*>(bytes.data()), bytes.size()}; }

}  // namespace

ResponseWriter::ResponseWriter(Stream& stream, Exchange& exchange, RequestBody& request_body, std::string& output, bool keep_alive,
                               Milliseconds timeout)
    : stream_(stream), exchange_(exchange), request_body_(request_body), output_(output), timeout_(timeout), keep_alive_(keep_alive) {}

Status ResponseWriter::sent(IoStatus status) {
  if (status == IoStatus::kReady) return {};
  abort();
  if (status == IoStatus::kTimedOut) return fail(ErrorKind::kTimedOut, "the client takes no bytes");
  return fail(ErrorKind::kDisconnected, "the client left");
}

Task<Status> ResponseWriter::informational(const http::ResponseHead& head) {
  SANDGATE_CHECK(state_ == State::kIdle);
  if (exchange_.request.minor_version == 0) co_return Status();
  output_.clear();
  http::write_response_head(output_, head, {}, http::ConnectionOption::kImplied, {});
  iovec piece = piece_of(output_);
  IoStatus status = co_await stream_.write({&piece, 1}, timeout_);
  output_.clear();
  co_return sent(status);
}

http::BodyFraming ResponseWriter::choose_framing(int status, std::optional<std::uint64_t> length) {
  bool http10 = exchange_.request.minor_version == 0;
  discard_ = exchange_.request.is_head() || http::status_forbids_body(status);
  if (length) return {Kind::kLength, *length};
  if (discard_) return {};
  if (!http10) return {Kind::kChunked, 0};
  keep_alive_ = false;
  return {Kind::kUntilClose, 0};
}

Task<Status> ResponseWriter::start(const http::ResponseHead& head, std::optional<std::uint64_t> length) {
  SANDGATE_CHECK(state_ == State::kIdle);
  state_ = State::kStarted;
  request_body_.response_started();
  http::BodyFraming framing = choose_framing(head.status, length);
  framing_ = framing.kind;
  remaining_ = framing.length;
  // An answer to a body that nobody will read ends the connection; the client is told in time.
  if (!request_body_.drainable()) keep_alive_ = false;
  http::ConnectionOption connection = http::ConnectionOption::kImplied;
  if (!keep_alive_) {
    connection = http::ConnectionOption::kClose;
  } else if (exchange_.request.minor_version == 0) {
    connection = http::ConnectionOption::kKeepAlive;
  }
  output_.clear();
  http::write_response_head(output_, head, framing, connection, stream_.loop().http_date());
  exchange_.record.status = head.status;
  co_return Status();
}

Task<Status> ResponseWriter::send(std::string_view piece, std::string_view suffix) {
  std::array<char, http::kChunkHeadBytesMax> chunk_head;
  std::array<iovec, 4> pieces;
  std::size_t count = 0;
  if (!output_.empty()) pieces[count++] = piece_of(output_);
  if (!piece.empty()) {
    if (framing_ == Kind::kChunked) {
      pieces[count++] = {chunk_head.data(), http::write_chunk_head(piece.size(), chunk_head.data())};
    }
    pieces[count++] = piece_of(piece);
  }
  if (!suffix.empty()) pieces[count++] = piece_of(suffix);
  std::span<iovec> left(pieces.data(), count);
  if (!stream_.write_now(left)) {
    IoStatus status = co_await stream_.write(left, timeout_);
    if (status != IoStatus::kReady) co_return sent(status);
  }
  output_.clear();
  co_return Status();
}

Task<Status> ResponseWriter::write(std::string_view bytes) {
  if (state_ != State::kStarted) co_return fail(ErrorKind::kDisconnected, "the response was given up");
  exchange_.record.response_bytes += discard_ ? 0 : bytes.size();
  if (bytes.empty() || discard_) co_return Status();
  if (framing_ == Kind::kLength) {
    if (bytes.size() > remaining_) {
      abort();
      co_return fail(ErrorKind::kInternal, "more bytes were written than the response announced");
    }
    remaining_ -= bytes.size();
  }
  Status status = co_await send(bytes, framing_ == Kind::kChunked ? "\r\n" : "");
  co_return status;
}

Task<Status> ResponseWriter::finish(const http::Fields* trailers) {
  if (state_ != State::kStarted) co_return fail(ErrorKind::kDisconnected, "the response was given up");
  if (framing_ == Kind::kLength && remaining_ > 0 && !discard_) {
    abort();
    co_return fail(ErrorKind::kInternal, "fewer bytes were written than the response announced");
  }
  std::string_view suffix;
  std::string last_chunk;
  if (framing_ == Kind::kChunked && !discard_) {
    suffix = http::kLastChunk;
    if (trailers != nullptr && !trailers->empty()) {
      last_chunk = "0\r\n";
      for (const http::Field& field : *trailers) last_chunk.append(field.name).append(": ").append(field.value).append("\r\n");
      suffix = last_chunk.append("\r\n");
    }
  }
  if (!output_.empty() || !suffix.empty()) {
    Status status = co_await send({}, suffix);
    if (!status) co_return status;
  }
  state_ = State::kFinished;
  co_return Status();
}

void ResponseWriter::abort() {
  if (state_ == State::kFinished) return;
  // A head that is still held back was never sent: the client sees a closed connection instead of half a response.
  bool visible = state_ != State::kIdle;
  if (!visible) return;
  state_ = State::kAborted;
  keep_alive_ = false;
  stream_.close();
}

Task<Result<RawStream*>> ResponseWriter::take_over(const http::ResponseHead& head) {
  SANDGATE_CHECK(state_ == State::kIdle);
  state_ = State::kTakenOver;
  keep_alive_ = false;
  exchange_.record.status = head.status;
  output_.clear();
  http::write_response_head(output_, head, {}, http::ConnectionOption::kUpgrade, {});
  iovec piece = piece_of(output_);
  IoStatus status = co_await stream_.write({&piece, 1}, timeout_);
  if (status != IoStatus::kReady) co_return fail(ErrorKind::kDisconnected, "the client left");
  stream_.retain();
  raw_.emplace(StreamPtr(&stream_), timeout_);
  co_return &*raw_;
}

}  // namespace sandgate::net
