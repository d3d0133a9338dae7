// SPDX-License-Identifier: Apache-2.0
//
// ClientConnection over a Stream. While pooled it keeps a read outstanding, so that a server that closes is noticed at once and costs no system call on lease.
#pragma once

#include <optional>
#include <string>

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

 private:
  Stream& stream_;
  Milliseconds timeout_;
  http::BodyFraming framing_;
  http::BodyDecoder decoder_;
  std::size_t handed_out_ = 0;
};

class UpstreamConnection final : public ClientConnection {
 public:
  UpstreamConnection(StreamPtr stream, const PoolOptions& options);
  ~UpstreamConnection() override;

  Task<Status> write_head(const http::RequestHead& head, http::BodyFraming framing, bool upgrade, std::string_view body_start) override;
  Task<Status> write_body(std::string_view bytes) override;
  Task<Status> finish_body(const http::Fields* trailers) override;
  bool wrote_any() const override { return stream_->bytes_written() > written_before_; }
  Task<Status> read_head(std::string_view method, http::ResponseHead& head) override;
  bool received_any() const override { return received_any_; }
  BodySource& body() override { return body_; }
  RawStream& raw() override;
  void abort() override { stream_->close(); }

  // Ready for another exchange: the last one is over on both sides and nothing unexpected arrived.
  bool reusable() const;
  // Still open, and nothing arrived since it was pooled.
  bool alive() const;
  // Enters the pool: memory is given back, and `notify(owner)` is called when the server closes or speaks unasked.
  void rest(Stream::Notify notify, void* owner);
  void wake();

  // Place in the pool's list; `idle_since` is the loop's time.
  UpstreamConnection* newer = nullptr;
  UpstreamConnection* older = nullptr;
  Nanoseconds idle_since{0};
  void* pool = nullptr;

 private:
  Task<Status> send(std::span<iovec> pieces);

  StreamPtr stream_;
  PoolOptions options_;
  http::ResponseParser parser_;
  ResponseBody body_;
  std::optional<BufferedRawStream> raw_;
  std::string output_;
  std::uint64_t written_before_ = 0;
  http::BodyFraming::Kind request_framing_ = http::BodyFraming::Kind::kNone;
  std::uint64_t request_left_ = 0;
  bool request_done_ = true;
  bool response_begun_ = false;
  bool keep_alive_ = false;
  bool received_any_ = false;
};

}  // namespace sandgate::net
