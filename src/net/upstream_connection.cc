// SPDX-License-Identifier: Apache-2.0
#include "net/upstream_connection.h"

#include <sys/uio.h>

#include <array>

#include "http/head_writer.h"
#include "net/loop_thread.h"

namespace sandgate::net {
namespace {

using Kind = http::BodyFraming::Kind;

iovec piece_of(std::string_view bytes) { return {const_cast<char*>(bytes.data()), bytes.size()}; }

}  // namespace

void ResponseBody::begin(http::BodyFraming framing, Arena& arena) {
  framing_ = framing;
  decoder_ = http::BodyDecoder(framing, arena);
  handed_out_ = 0;
}

std::optional<std::uint64_t> ResponseBody::length() const {
  if (framing_.kind == Kind::kNone) return 0;
  if (framing_.kind == Kind::kLength) return framing_.length;
  return std::nullopt;
}

Task<Result<std::string_view>> ResponseBody::read() {
  using StepKind = http::BodyDecoder::Step::Kind;
  stream_.consume(handed_out_);
  handed_out_ = 0;
  while (!decoder_.ended()) {
    http::BodyDecoder::Step step = decoder_.decode(stream_.input());
    if (step.kind == StepKind::kData) {
      handed_out_ = step.consumed;
      co_return step.data;
    }
    stream_.consume(step.consumed);
    if (step.kind == StepKind::kEnd) break;
    if (step.kind == StepKind::kBroken) co_return fail(ErrorKind::kUpstream, "the upstream's response is malformed", std::string(step.reason));
    std::size_t before = stream_.input().size();
    IoStatus status = co_await stream_.more(timeout_);
    if (stream_.input().size() > before) continue;
    if (status == IoStatus::kEnd && decoder_.finish()) break;
    if (status == IoStatus::kTimedOut) co_return fail(ErrorKind::kTimedOut, "the upstream stopped in the middle of its response");
    co_return fail(ErrorKind::kUpstream, "the upstream closed in the middle of its response");
  }
  co_return std::string_view();
}

UpstreamConnection::UpstreamConnection(StreamPtr stream, const PoolOptions& options)
    : stream_(std::move(stream)), options_(options), body_(*stream_, options.between_bytes) {}

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
  if (stream_->write_now(pieces)) co_return Status();
  IoStatus status = co_await stream_->write(pieces, options_.write);
  if (status == IoStatus::kReady) co_return Status();
  if (status == IoStatus::kTimedOut) co_return fail(ErrorKind::kTimedOut, "the upstream takes no bytes");
  co_return fail(ErrorKind::kDisconnected, "the upstream closed the connection");
}

Task<Status> UpstreamConnection::write_head(const http::RequestHead& head, http::BodyFraming framing, bool upgrade, std::string_view body_start) {
  written_before_ = stream_->bytes_written();
  received_any_ = false;
  response_begun_ = false;
  request_framing_ = framing.kind;
  request_left_ = framing.kind == Kind::kLength ? framing.length - body_start.size() : 0;
  request_done_ = framing.kind == Kind::kNone || (framing.kind == Kind::kLength && request_left_ == 0);
  parser_.reset();
  output_.clear();
  http::write_request_head(output_, head, framing, upgrade ? http::ConnectionOption::kUpgrade : http::ConnectionOption::kImplied);
  std::array<char, http::kChunkHeadBytesMax> chunk_head;
  std::array<iovec, 4> pieces{piece_of(output_)};
  std::size_t count = 1;
  bool chunked = framing.kind == Kind::kChunked && !body_start.empty();
  if (chunked) pieces[count++] = {chunk_head.data(), http::write_chunk_head(body_start.size(), chunk_head.data())};
  if (!body_start.empty()) pieces[count++] = piece_of(body_start);
  if (chunked) pieces[count++] = piece_of("\r\n");
  Status status = co_await send({pieces.data(), count});
  co_return status;
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
  Status status = co_await send({pieces.data(), count});
  if (status && request_framing_ == Kind::kLength && request_left_ == 0) request_done_ = true;
  co_return status;
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
  if (status) request_done_ = true;
  co_return status;
}

Task<Status> UpstreamConnection::read_head(std::string_view method, http::ResponseHead& head) {
  using HeadKind = http::HeadResult::Kind;
  for (;;) {
    http::BodyFraming framing;
    http::HeadResult result = parser_.parse(stream_->input(), method, head, framing);
    if (result.kind == HeadKind::kDone) {
      stream_->consume(result.consumed);
      parser_.reset();
      received_any_ = true;
      if (head.status >= 200) {
        response_begun_ = true;
        keep_alive_ = http::wants_keep_alive(head.fields, head.minor_version);
        body_.begin(framing, head.fields.arena());
      }
      co_return Status();
    }
    if (result.kind == HeadKind::kRefused) {
      received_any_ = true;
      co_return fail(ErrorKind::kUpstream, "the upstream's response is malformed", std::string(result.refusal.reason));
    }
    std::size_t before = stream_->input().size();
    received_any_ = received_any_ || before > 0;
    IoStatus status = co_await stream_->more(options_.first_byte);
    if (stream_->input().size() > before) continue;
    if (status == IoStatus::kTimedOut) co_return fail(ErrorKind::kTimedOut, "the upstream did not answer in time");
    if (received_any_) co_return fail(ErrorKind::kUpstream, "the upstream closed in the middle of its response");
    co_return fail(ErrorKind::kDisconnected, "the upstream closed the connection");
  }
}

bool UpstreamConnection::reusable() const {
  return !stream_->closed() && !stream_->output_broken() && stream_->read_state() == IoStatus::kReady && request_done_ && response_begun_ &&
         keep_alive_ && body_.ended_cleanly() && stream_->input().empty() && !raw_;
}

bool UpstreamConnection::alive() const { return !stream_->closed() && stream_->read_state() == IoStatus::kReady && stream_->input().empty(); }

void UpstreamConnection::rest(Stream::Notify notify, void* owner) {
  stream_->rest();
  stream_->on_unawaited_input(notify, owner);
  stream_->start_read();
}

void UpstreamConnection::wake() { stream_->on_unawaited_input(nullptr, nullptr); }

}  // namespace sandgate::net
