// SPDX-License-Identifier: Apache-2.0
//
// The body of a request as it arrives on a connection. Lives in the frame that serves the exchange.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "exchange/body_source.h"
#include "http/body_decoder.h"
#include "http/message.h"
#include "net/stream.h"

namespace sandgate::net {

class RequestBody final : public BodySource {
 public:
  // Bodies the handler left unread are read and dropped up to this, to keep the connection; beyond it closing is
  // cheaper.
  static constexpr std::uint64_t kDrainBytesMax = 64 * 1024;

  // Whether the client waits for 100 (Continue), which is sent before the first wait for bytes.
  enum class Expectation : bool { kNone, kContinue };

  // The head is consumed. `timeout` bounds each wait for bytes, `arena` takes trailers, `bytes_read` counts.
  RequestBody(Stream& stream, http::BodyFraming framing, Expectation expectation, Milliseconds timeout, Arena& arena,
              std::uint64_t& bytes_read);

  Task<Result<std::string_view>> read() override;
  std::optional<std::uint64_t> length() const override;
  void abort() override;
  const http::Fields* trailers() const override { return decoder_.trailers(); }

  bool ended() const { return decoder_.ended(); }
  // The response has begun: 100 (Continue) makes no sense any more.
  void response_started() { response_started_ = true; }
  // Whether the connection can serve another request after this body: it has ended, or what is left is little and was
  // announced.
  bool drainable() const;
  // Reads what is left, for at most `in_all`; the piece read last is done with. False when the connection cannot be
  // kept.
  Task<bool> drain(Milliseconds in_all);
  // The piece read last is done with: the input begins after it.
  void release_piece();

 private:
  Task<Status> send_continue();
  Task<Status> receive();

  Stream& stream_;
  http::BodyFraming framing_;
  http::BodyDecoder decoder_;
  Milliseconds timeout_;
  std::uint64_t& bytes_read_;
  std::size_t handed_out_ = 0;  // bytes of the input that the last piece took
  bool expects_continue_;
  bool response_started_ = false;
  bool aborted_ = false;
  bool broken_ = false;
};

}  // namespace sandgate::net
