// SPDX-License-Identifier: Apache-2.0
#include "net/response_writer.h"

#include <sys/uio.h>

#include "base/check.h"
#include "http/head_writer.h"
#include "net/loop_thread.h"

namespace sandgate::net {
namespace {

using Kind = http::BodyFraming::Kind;

iovec piece_of(std::string_view bytes) { return {const_cast<char*>(bytes.data()), bytes.size()}; }

void append_last_chunk(std::string& out, const http::Fields* trailers) {
  out += "0\r\n";
  if (trailers != nullptr) {
    for (const http::Field& field : *trailers) out.append(field.name).append(": ").append(field.value).append("\r\n");
  }
  out += "\r\n";
}

}  // namespace

ResponseWriter::ResponseWriter(Stream& stream, Exchange& exchange, RequestBody& request_body, std::string& output,
                               Afterwards afterwards, Milliseconds timeout)
    : stream_(stream),
      exchange_(exchange),
      request_body_(request_body),
      output_(output),
      timeout_(timeout),
      head_timer_(exchange.loop(), &ResponseWriter::head_waited, this),
      keep_alive_(afterwards == Afterwards::kKeepAlive) {}

Status ResponseWriter::sent(IoStatus status) {
  if (status == IoStatus::kReady) return {};
  if (state_ == State::kStarted) state_ = State::kAborted;
  keep_alive_ = false;
  // What the client does not take would stay in the kernel for minutes.
  stream_.reset();
  if (status == IoStatus::kTimedOut) return fail(ErrorKind::kTimedOut, "the client takes no bytes");
  return fail(ErrorKind::kDisconnected, "the client left");
}

Task<Status> ResponseWriter::informational(const http::ResponseHead& head) {
  SANDGATE_CHECK(state_ == State::kIdle);
  if (head.status < 102 || head.status > 199) co_return fail(ErrorKind::kInternal, "not an interim response");
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
  if (head.status < 200 || head.status > 599) co_return fail(ErrorKind::kInternal, "not a final response");
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
  if (!discard_ && framing_ != Kind::kLength) head_timer_.arm(kHeadDelay);
  co_return Status();
}

// A stream of events may be silent for long, but its client wants to know that it is connected.
void ResponseWriter::head_waited(void* owner) {
  auto& writer = *static_cast<ResponseWriter*>(owner);
  if (writer.state_ != State::kStarted || writer.output_.empty()) return;
  iovec piece = piece_of(writer.output_);
  std::span<iovec> left(&piece, 1);
  std::size_t before = writer.output_.size();
  std::size_t kept = writer.stream_.write_now(left) ? 0 : left.front().iov_len;
  writer.output_.erase(0, before - kept);
}

void ResponseWriter::fill(Packet& packet, std::string_view content, std::string_view suffix) {
  bool chunk = framing_ == Kind::kChunked && !content.empty();
  std::string_view chunk_head;
  if (chunk) chunk_head = {packet.chunk_head.data(), http::write_chunk_head(content.size(), packet.chunk_head.data())};
  std::size_t count = 0;
  if (content.size() <= kCopiedBytesMax) {
    output_.append(chunk_head).append(content).append(suffix);
    packet.pieces[count++] = piece_of(output_);
  } else {
    for (std::string_view piece : {std::string_view(output_), chunk_head, content, suffix}) {
      if (!piece.empty()) packet.pieces[count++] = piece_of(piece);
    }
  }
  packet.left = {packet.pieces.data(), count};
  head_timer_.disarm();
}

Task<Status> ResponseWriter::send_rest(Packet& packet) {
  IoStatus status = co_await stream_.write(packet.left, timeout_);
  co_return sent(status);
}

Task<Status> ResponseWriter::write(std::string_view bytes) {
  if (state_ != State::kStarted) co_return fail(ErrorKind::kDisconnected, "the response was given up");
  if (bytes.empty() || discard_) co_return Status();
  if (framing_ == Kind::kLength) {
    if (bytes.size() > remaining_) {
      abort();
      co_return fail(ErrorKind::kInternal, "more bytes were written than the response announced");
    }
    remaining_ -= bytes.size();
  }
  exchange_.record.response_bytes += bytes.size();
  Packet packet;
  fill(packet, bytes, framing_ == Kind::kChunked ? "\r\n" : "");
  if (!stream_.write_now(packet.left)) {
    Status status = co_await send_rest(packet);
    if (!status) co_return status;
  }
  output_.clear();
  co_return Status();
}

Task<Status> ResponseWriter::finish(const http::Fields* trailers) {
  if (state_ != State::kStarted) co_return fail(ErrorKind::kDisconnected, "the response was given up");
  if (framing_ == Kind::kLength && remaining_ > 0 && !discard_) {
    abort();
    co_return fail(ErrorKind::kInternal, "fewer bytes were written than the response announced");
  }
  if (framing_ == Kind::kChunked && !discard_) append_last_chunk(output_, trailers);
  if (!output_.empty()) {
    Packet packet;
    fill(packet, {}, {});
    if (!stream_.write_now(packet.left)) {
      Status status = co_await send_rest(packet);
      if (!status) co_return status;
    }
    output_.clear();
  }
  state_ = State::kFinished;
  co_return Status();
}

void ResponseWriter::abort() {
  if (state_ != State::kStarted) return;
  state_ = State::kAborted;
  keep_alive_ = false;
  head_timer_.disarm();
  // Where the end of the connection is the end of the body, only a reset shows that it is not.
  if (framing_ == Kind::kUntilClose) {
    stream_.reset();
  } else {
    stream_.close();
  }
}

Task<Result<RawStream*>> ResponseWriter::take_over(const http::ResponseHead& head) {
  SANDGATE_CHECK(state_ == State::kIdle);
  if (exchange_.request.minor_version == 0) co_return fail(ErrorKind::kUnsupported, "HTTP/1.0 has no upgrades");
  if (!request_body_.ended()) co_return fail(ErrorKind::kUnsupported, "a request with a body cannot be upgraded");
  request_body_.release_piece();
  state_ = State::kTakenOver;
  keep_alive_ = false;
  exchange_.record.status = head.status;
  output_.clear();
  http::write_response_head(output_, head, {}, http::ConnectionOption::kUpgrade, {});
  iovec piece = piece_of(output_);
  IoStatus status = co_await stream_.write({&piece, 1}, timeout_);
  output_.clear();
  if (status != IoStatus::kReady) co_return fail(ErrorKind::kDisconnected, "the client left");
  raw_.emplace(StreamPtr::share(stream_), timeout_);
  co_return &*raw_;
}

}  // namespace sandgate::net
