// SPDX-License-Identifier: Apache-2.0
//
// A Stream as RawStream: the bytes of a connection after an upgrade, what was buffered first.
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>

#include "exchange/exchange.h"
#include "net/stream.h"

namespace sandgate::net {

class BufferedRawStream final : public RawStream {
 public:
  // `write_timeout` bounds the time without progress; reads wait without bound (the tunnel has its own idle timer).
  BufferedRawStream(StreamPtr stream, Milliseconds write_timeout)
      : stream_(std::move(stream)), write_timeout_(write_timeout) {}

  Task<Result<std::string_view>> read() override;
  Task<Status> write(std::string_view bytes) override;
  void shutdown_write() override { stream_->shutdown_write(); }
  void close() override { stream_->close(); }

 private:
  StreamPtr stream_;
  Milliseconds write_timeout_;
  std::size_t handed_out_ = 0;
};

}  // namespace sandgate::net
