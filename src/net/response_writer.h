// SPDX-License-Identifier: Apache-2.0
//
// Responses as HTTP/1.1 on a connection. Frames messages alone: Content-Length when the length is known, else chunked, else (HTTP/1.0) until close. The head waits for the
// first body bytes, so that a small response is one packet; later pieces are sent as they come. Lives in the frame that serves the exchange.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "exchange/exchange.h"
#include "net/buffer_pool.h"
#include "net/raw_stream.h"
#include "net/request_body.h"
#include "net/stream.h"

namespace sandgate::net {

class ResponseWriter final : public ResponseSink, public Exchange::Upgrade {
 public:
  // `output` is the scratch buffer of the exchange. `keep_alive`: what the request and the server allow.
  ResponseWriter(Stream& stream, Exchange& exchange, RequestBody& request_body, std::string& output, bool keep_alive, Milliseconds timeout);

  Task<Status> informational(const http::ResponseHead& head) override;
  Task<Status> start(const http::ResponseHead& head, std::optional<std::uint64_t> length) override;
  Task<Status> write(std::string_view bytes) override;
  Task<Status> finish(const http::Fields* trailers) override;
  void abort() override;
  bool committed() const override { return state_ != State::kIdle; }
  Task<Result<RawStream*>> take_over(const http::ResponseHead& head) override;

  // After the handler returned: whether a whole response went out and the connection may serve another request.
  bool completed() const { return state_ == State::kFinished; }
  bool keep_alive() const { return keep_alive_; }
  // The response must end with the connection (draining began).
  void close_after() { keep_alive_ = false; }

 private:
  enum class State : unsigned char { kIdle, kStarted, kFinished, kTakenOver, kAborted };

  http::BodyFraming choose_framing(int status, std::optional<std::uint64_t> length);
  // Sends the held head, then `piece`, framed as a chunk when that is how the body goes.
  Task<Status> send(std::string_view piece, std::string_view suffix);
  Status sent(IoStatus status);

  Stream& stream_;
  Exchange& exchange_;
  RequestBody& request_body_;
  std::string& output_;
  Milliseconds timeout_;
  std::optional<BufferedRawStream> raw_;
  std::uint64_t remaining_ = 0;
  State state_ = State::kIdle;
  http::BodyFraming::Kind framing_ = http::BodyFraming::Kind::kNone;
  bool discard_ = false;  // HEAD, or a status without a body
  bool keep_alive_;
};

}  // namespace sandgate::net
