// SPDX-License-Identifier: Apache-2.0
//
// ClientConnection over a Stream. While pooled it is told of every edge, so that a server that closes or speaks unasked
// is noticed at once; before the next request goes out, what came since is looked for once more.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "http/body_decoder.h"
#include "http/head_parser.h"
#include "net/client_connection.h"
#include "net/connection_pool.h"
#include "net/raw_stream.h"
#include "net/stream.h"

namespace sandgate::net {

// The body of a response as it arrives.
class ResponseBody final : public BodySource {
 public:
  ResponseBody(Stream& stream, Milliseconds timeout) : stream_(stream), timeout_(timeout) {}

  void begin(http::BodyFraming framing, Arena& arena);
  Task<Result<std::string_view>> read() override;
  std::optional<std::uint64_t> length() const override;
  void abort() override { stream_.close(); }
  const http::Fields* trailers() const override { return decoder_.trailers(); }

  // The whole body was read and its end did not need the connection's.
  bool ended_cleanly() const { return decoder_.ended() && framing_.kind != http::BodyFraming::Kind::kUntilClose; }
  // The piece read last is done with: the input begins after it.
  void release_piece();

 private:
  Stream& stream_;
  Milliseconds timeout_;
  http::BodyFraming framing_;
  http::BodyDecoder decoder_;
  std::size_t handed_out_ = 0;
};

class UpstreamConnection final : public ClientConnection {
 public:
  UpstreamConnection(StreamPtr stream, const PoolOptions& options, ConnectionPermit permit = {});
  ~UpstreamConnection() override;

  Task<Status> write_head(const http::RequestHead& head, http::BodyFraming framing, bool upgrade,
                          std::string_view body_start) override;
  Task<Status> write_body(std::string_view bytes) override;
  Task<Status> finish_body(const http::Fields* trailers) override;
  bool wrote_any() const override { return stream_->bytes_written() > written_before_; }
  Task<Status> read_head(std::string_view method, http::ResponseHead& head) override;
  bool received_any() const override { return received_any_; }
  BodySource& body() override { return body_; }
  RawStream& raw() override;
  void abort() override { stream_->close(); }

  // Ready for another exchange: the last one is over on both sides and nothing unexpected arrived.
  bool reusable();
  // Open, and the server has neither closed nor said anything since the last exchange. One system call.
  bool silent() const { return stream_->silent(); }
  // Enters the pool: memory is given back, and `notify(owner)` is called when the server closes or speaks unasked.
  void rest(Stream::Notify notify, void* owner);
  void wake();

  // Place in the pool's list; `idle_since` is the loop's time.
  UpstreamConnection* newer = nullptr;
  UpstreamConnection* older = nullptr;
  Nanoseconds idle_since{0};
  void* pool = nullptr;
  std::uint32_t generation = 0;  // of the pool's addresses

 private:
  Task<Status> send(std::span<iovec> pieces);
  void request_sent();
  Milliseconds head_time_left() const;

  ConnectionPermit permit_;  // ends last
  StreamPtr stream_;
  const PoolOptions& options_;  // the pool's
  http::ResponseParser parser_;
  ResponseBody body_;
  std::optional<BufferedRawStream> raw_;
  std::string held_;  // the part of a head that the socket did not take at once
  std::uint64_t written_before_ = 0;
  std::uint64_t request_left_ = 0;
  Nanoseconds waiting_since_{0};  // for a head: from the end of the request, or of the last interim response
  http::BodyFraming::Kind request_framing_ = http::BodyFraming::Kind::kNone;
  bool request_done_ = true;
  bool response_begun_ = false;
  bool keep_alive_ = false;
  bool received_any_ = false;
};

}  // namespace sandgate::net
