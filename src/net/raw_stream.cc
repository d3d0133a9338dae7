// SPDX-License-Identifier: Apache-2.0
#include "net/raw_stream.h"

#include <sys/uio.h>

namespace sandgate::net {

Task<Result<std::string_view>> BufferedRawStream::read() {
  stream_->consume(std::exchange(handed_out_, 0));
  stream_->rest();
  while (stream_->input().empty()) {
    IoStatus status = co_await stream_->more(Milliseconds(0));
    if (!stream_->input().empty()) break;
    if (status == IoStatus::kEnd) co_return std::string_view();
    if (status != IoStatus::kReady) co_return fail(ErrorKind::kDisconnected, "the connection ended");
  }
  std::string_view bytes = stream_->input();
  handed_out_ = bytes.size();
  co_return bytes;
}

Task<Status> BufferedRawStream::write(std::string_view bytes) {
  iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
  IoStatus status = co_await stream_->write({&piece, 1}, write_timeout_);
  if (status == IoStatus::kTimedOut) co_return fail(ErrorKind::kTimedOut, "the peer takes no bytes");
  if (status != IoStatus::kReady) co_return fail(ErrorKind::kDisconnected, "the connection ended");
  co_return Status();
}

}  // namespace sandgate::net
