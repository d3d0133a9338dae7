// SPDX-License-Identifier: Apache-2.0
#include "gateway/upload.h"

#include <utility>

#include "base/check.h"

namespace sandgate::gateway {

Upload::~Upload() { SANDGATE_CHECK(!running_); }

void Upload::begin() {
  if (begun_) return;
  begun_ = true;
  running_ = true;
  pump(*this);
}

void Upload::proceed(net::ClientConnection& connection, std::string_view sent) {
  connection_ = &connection;
  sent_with_head_ = !sent.empty();
  gate_.set();
}

Task<void> Upload::stop() {
  if (!running_) co_return;
  stopping_ = true;
  // Each of the two may end the coroutine at once.
  body_.abort();
  gate_.set();
  if (running_) co_await done_.wait();
}

void Upload::client_failed(const Error& error) {
  if (stopping_) return;
  client_error_ = error;
  if (connection_ != nullptr) connection_->abort();
}

// False when the upstream takes no more.
Task<bool> Upload::send(std::string_view piece) {
  Status sent = co_await connection_->write_body(piece);
  if (sent) co_return true;
  // A connection that broke may still hold an early answer: whoever reads it finds out. One that hangs does not.
  if (sent.error().kind == ErrorKind::kTimedOut && !stopping_) {
    upstream_timed_out_ = true;
    connection_->abort();
  }
  co_return false;
}

// `upload` lives until done_ is set, which is the last thing that happens here.
Detached Upload::pump(Upload& upload) {
  Result<std::string_view> piece = co_await upload.body_.read();
  if (piece) {
    upload.piece_ = *piece;
    co_await upload.gate_.wait();
  }
  while (piece && !upload.stopping_) {
    if (piece->empty()) {
      // A body of known length ends by itself. Errors show in the response.
      if (!upload.body_.length()) (void)co_await upload.connection_->finish_body(upload.body_.trailers());
      break;
    }
    if (!std::exchange(upload.sent_with_head_, false)) {
      bool sent = co_await upload.send(*piece);
      if (!sent) break;
    }
    upload.piece_ = {};
    piece = co_await upload.body_.read();
  }
  if (!piece) upload.client_failed(piece.error());
  upload.running_ = false;
  upload.done_.set();
}

}  // namespace sandgate::gateway
