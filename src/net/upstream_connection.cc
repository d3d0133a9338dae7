// SPDX-License-Identifier: Apache-2.0
#include "net/upstream_connection.h"

#include <sys/uio.h>

#include <array>
#include <utility>

#include "http/head_writer.h"
#include "net/loop_thread.h"

namespace sandgate::net {
namespace {

using Kind = http::BodyFraming::Kind;

// Up to here the first bytes of a body are copied behind the head: cheaper than a second piece for the kernel.
constexpr std::size_t kCopiedBytesMax = 4096;

iovec piece_of(std::string_view bytes) { return {const_cast<char*>(bytes.data()), bytes.size()}; }

std::unexpected<Error> given_up() { return fail(ErrorKind::kDisconnected, "the upstream request was given up"); }

}  // namespace

void ResponseBody::begin(http::BodyFraming framing, Arena& arena) {
  framing_ = framing;
  decoder_ = http::BodyDecoder(framing, arena);
  handed_out_ = 0;
  stream_.expect(decoder_.remaining());
}

std::optional<std::uint64_t> ResponseBody::length() const {
  if (framing_.kind == Kind::kNone) return 0;
  if (framing_.kind == Kind::kLength) return framing_.length;
  return std::nullopt;
}

void ResponseBody::release_piece() { stream_.consume(std::exchange(handed_out_, 0)); }

Task<Result<std::string_view>> ResponseBody::read() {
  using StepKind = http::BodyDecoder::Step::Kind;
  release_piece();
  while (!decoder_.ended()) {
    http::BodyDecoder::Step step = decoder_.decode(stream_.input());
    if (step.kind == StepKind::kData) {
      handed_out_ = step.consumed;
      co_return step.data;
    }
    stream_.consume(step.consumed);
    if (step.kind == StepKind::kEnd) break;
    if (step.kind == StepKind::kBroken) {
      co_return fail(ErrorKind::kUpstream, "the upstream's response is malformed", std::string(step.reason));
    }
    std::size_t before = stream_.input().size();
    IoStatus status = co_await stream_.more(timeout_);
    if (stream_.input().size() > before) continue;
    if (status == IoStatus::kEnd && decoder_.finish()) break;
    if (status == IoStatus::kTimedOut) {
      co_return fail(ErrorKind::kTimedOut, "the upstream stopped in the middle of its response");
    }
    if (stream_.closed()) co_return given_up();
    co_return fail(ErrorKind::kUpstream, "the upstream closed in the middle of its response");
  }
  co_return std::string_view();
}

UpstreamConnection::UpstreamConnection(StreamPtr stream, const PoolOptions& options, ConnectionPermit permit)
    : permit_(std::move(permit)),
      stream_(std::move(stream)),
      options_(options),
      body_(*stream_, options.between_bytes) {}

UpstreamConnection::~UpstreamConnection() {
  stream_->on_unawaited_input(nullptr, nullptr);
  stream_->close();
}

RawStream& UpstreamConnection::raw() {
  keep_alive_ = false;
  if (!raw_) raw_.emplace(stream_, options_.write);
  return *raw_;
}

Task<Status> UpstreamConnection::send(std::span<iovec> pieces) {
  IoStatus status = co_await stream_->write(pieces, options_.write);
  if (status == IoStatus::kReady) co_return Status();
  if (status == IoStatus::kTimedOut) co_return fail(ErrorKind::kTimedOut, "the upstream takes no bytes");
  if (stream_->closed()) co_return given_up();
  co_return fail(ErrorKind::kDisconnected, "the upstream closed the connection");
}

void UpstreamConnection::request_sent() {
  request_done_ = true;
  waiting_since_ = stream_->loop().now();
}

Task<Status> UpstreamConnection::write_head(const http::RequestHead& head, http::BodyFraming framing, bool upgrade,
                                            std::string_view body_start) {
  written_before_ = stream_->bytes_written();
  received_any_ = false;
  response_begun_ = false;
  request_done_ = false;
  request_framing_ = framing.kind;
  request_left_ = framing.length;
  parser_.reset();
  if (framing.kind != Kind::kChunked) {
    if (body_start.size() > framing.length)
      co_return fail(ErrorKind::kInternal, "more bytes than the request announced");
    request_left_ -= body_start.size();
  }
  waiting_since_ = stream_->loop().now();
  std::string& text = stream_->loop().buffers().text();
  http::write_request_head(text, head, framing,
                           upgrade ? http::ConnectionOption::kUpgrade : http::ConnectionOption::kImplied);
  std::array<char, http::kChunkHeadBytesMax> chunk_head;
  if (framing.kind == Kind::kChunked && !body_start.empty()) {
    text.append(chunk_head.data(), http::write_chunk_head(body_start.size(), chunk_head.data()));
  }
  std::string_view suffix = framing.kind == Kind::kChunked && !body_start.empty() ? "\r\n" : "";
  std::array<iovec, 3> pieces;
  std::size_t count = 0;
  if (body_start.size() <= kCopiedBytesMax) {
    text.append(body_start).append(suffix);
    pieces[count++] = piece_of(text);
  } else {
    for (std::string_view piece : {std::string_view(text), body_start, suffix}) {
      if (!piece.empty()) pieces[count++] = piece_of(piece);
    }
  }
  std::span<iovec> left(pieces.data(), count);
  if (!stream_->write_now(left)) {
    // `text` is the loop's: what is left of it moves here before anything else runs.
    if (left.size() == count) {
      held_.assign(static_cast<const char*>(left.front().iov_base), left.front().iov_len);
      left.front() = piece_of(held_);
    }
    Status status = co_await send(left);
    std::string().swap(held_);
    if (!status) co_return status;
  }
  if (framing.kind != Kind::kChunked && request_left_ == 0) request_sent();
  co_return Status();
}

Task<Status> UpstreamConnection::write_body(std::string_view bytes) {
  if (bytes.empty()) co_return Status();
  std::array<char, http::kChunkHeadBytesMax> chunk_head;
  std::array<iovec, 3> pieces;
  std::size_t count = 0;
  if (request_framing_ == Kind::kChunked) {
    pieces[count++] = {chunk_head.data(), http::write_chunk_head(bytes.size(), chunk_head.data())};
    pieces[count++] = piece_of(bytes);
    pieces[count++] = piece_of("\r\n");
  } else {
    if (bytes.size() > request_left_) co_return fail(ErrorKind::kInternal, "more bytes than the request announced");
    request_left_ -= bytes.size();
    pieces[count++] = piece_of(bytes);
  }
  std::span<iovec> left(pieces.data(), count);
  if (!stream_->write_now(left)) {
    Status status = co_await send(left);
    if (!status) co_return status;
  }
  if (request_framing_ == Kind::kLength && request_left_ == 0) request_sent();
  co_return Status();
}

Task<Status> UpstreamConnection::finish_body(const http::Fields* trailers) {
  if (request_framing_ != Kind::kChunked) co_return Status();
  std::string last = "0\r\n";
  if (trailers != nullptr) {
    for (const http::Field& field : *trailers) last.append(field.name).append(": ").append(field.value).append("\r\n");
  }
  last += "\r\n";
  iovec piece = piece_of(last);
  Status status = co_await send({&piece, 1});
  if (status) request_sent();
  co_return status;
}

// Until the request is done the upstream owes no head: the caller knows what to make of a timeout then.
Milliseconds UpstreamConnection::head_time_left() const {
  if (!request_done_) return options_.first_byte;
  Nanoseconds passed = stream_->loop().now() - waiting_since_;
  return options_.first_byte - std::chrono::duration_cast<Milliseconds>(passed);
}

Task<Status> UpstreamConnection::read_head(std::string_view method, http::ResponseHead& head) {
  using HeadKind = http::HeadResult::Kind;
  for (;;) {
    http::BodyFraming framing;
    http::HeadResult result = parser_.parse(stream_->input(), method, head, framing);
    received_any_ = received_any_ || !stream_->input().empty();
    if (result.kind == HeadKind::kDone) {
      stream_->consume(result.consumed);
      parser_.reset();
      waiting_since_ = stream_->loop().now();
      if (head.status >= 200) {
        response_begun_ = true;
        keep_alive_ = http::wants_keep_alive(head.fields, head.minor_version);
        body_.begin(framing, head.fields.arena());
      }
      co_return Status();
    }
    if (result.kind == HeadKind::kRefused) {
      co_return fail(ErrorKind::kUpstream, "the upstream's response is malformed", std::string(result.refusal.reason));
    }
    std::size_t before = stream_->input().size();
    // In all, however steadily it drips.
    Milliseconds left = head_time_left();
    IoStatus status = IoStatus::kTimedOut;
    if (left.count() > 0) status = co_await stream_->more(left);
    if (stream_->input().size() > before) continue;
    // The request ended while we waited: the time counts from there.
    if (status == IoStatus::kTimedOut && request_done_ && left.count() > 0) continue;
    if (status == IoStatus::kTimedOut) co_return fail(ErrorKind::kTimedOut, "the upstream did not answer in time");
    if (stream_->closed()) co_return given_up();
    if (received_any_) co_return fail(ErrorKind::kUpstream, "the upstream closed in the middle of its response");
    co_return fail(ErrorKind::kDisconnected, "the upstream closed the connection");
  }
}

bool UpstreamConnection::reusable() {
  bool over = request_done_ && response_begun_ && keep_alive_ && body_.ended_cleanly() && !raw_;
  if (!over || stream_->output_broken() || stream_->read_state() != IoStatus::kReady) return false;
  body_.release_piece();
  return stream_->input().empty();
}

void UpstreamConnection::rest(Stream::Notify notify, void* owner) {
  stream_->expect(0);
  stream_->rest();
  stream_->on_unawaited_input(notify, owner);
}

void UpstreamConnection::wake() { stream_->on_unawaited_input(nullptr, nullptr); }

}  // namespace sandgate::net
