// SPDX-License-Identifier: Apache-2.0
//
// Responses as HTTP/1.1 on a connection. Frames messages alone: Content-Length when the length is known, else chunked,
// else (HTTP/1.0) until close. The head waits for the first body bytes, so that a small response is one packet; the
// head of a stream whose first bytes let wait goes alone. Lives in the frame that serves the exchange.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "exchange/exchange.h"
#include "http/body_decoder.h"
#include "net/raw_stream.h"
#include "net/request_body.h"
#include "net/stream.h"

namespace sandgate::net {

class ResponseWriter final : public ResponseSink, public Exchange::Upgrade {
 public:
  // How long the head of a response of unknown length waits for its first bytes.
  static constexpr Milliseconds kHeadDelay{4};
  // Up to here bytes are copied behind what waits: cheaper than a second piece for the kernel.
  static constexpr std::size_t kCopiedBytesMax = 4096;

  // What becomes of the connection after the response, as far as request and server allow.
  enum class Afterwards : bool { kClose, kKeepAlive };

  // `output` is the scratch buffer of the exchange. `timeout` bounds the time without progress.
  ResponseWriter(Stream& stream, Exchange& exchange, RequestBody& request_body, std::string& output,
                 Afterwards afterwards, Milliseconds timeout);

  Task<Status> informational(const http::ResponseHead& head) override;
  // kInternal for a status that is none of a final response (200 to 599); nothing is committed then.
  Task<Status> start(const http::ResponseHead& head, std::optional<std::uint64_t> length) override;
  Task<Status> write(std::string_view bytes) override;
  Task<Status> finish(const http::Fields* trailers) override;
  void abort() override;
  bool committed() const override { return state_ != State::kIdle; }
  // kUnsupported for HTTP/1.0 and while the request has an unread body.
  Task<Result<RawStream*>> take_over(const http::ResponseHead& head) override;

  // After the handler returned: whether a whole response went out, and whether the connection may serve another
  // request.
  bool completed() const { return state_ == State::kFinished; }
  bool taken_over() const { return state_ == State::kTakenOver; }
  bool keep_alive() const { return keep_alive_; }
  // The response must end with the connection (draining began).
  void close_after() { keep_alive_ = false; }

 private:
  enum class State : unsigned char { kIdle, kStarted, kFinished, kTakenOver, kAborted };

  // The pieces of one packet: what waits, a chunk's head, content, what follows it.
  struct Packet {
    std::array<char, http::kChunkHeadBytesMax> chunk_head;
    std::array<iovec, 4> pieces;
    std::span<iovec> left;
  };

  http::BodyFraming choose_framing(int status, std::optional<std::uint64_t> length);
  void fill(Packet& packet, std::string_view content, std::string_view suffix);
  Task<Status> send_rest(Packet& packet);
  Status sent(IoStatus status);
  static void head_waited(void* owner);

  Stream& stream_;
  Exchange& exchange_;
  RequestBody& request_body_;
  std::string& output_;  // what waits to be sent
  Milliseconds timeout_;
  Timer head_timer_;
  std::optional<BufferedRawStream> raw_;
  std::uint64_t remaining_ = 0;
  State state_ = State::kIdle;
  http::BodyFraming::Kind framing_ = http::BodyFraming::Kind::kNone;
  bool discard_ = false;  // HEAD, or a status without a body
  bool keep_alive_;
};

}  // namespace sandgate::net
