// SPDX-License-Identifier: Apache-2.0
//
// Carries the body of a request to the upstream while the response is being read: an upstream may answer early, or talk
// both ways. Reads one piece, writes it, reads the next, so the client is read no faster than the upstream takes. Runs
// as a coroutine of its own; whoever made the upload joins it before the connection or the body goes away. Loop thread
// only.
//
// Order: begin(), then ready_piece() goes out with the head, then proceed(). Until proceed() nothing touches a
// connection, so that another may be tried.
#pragma once

#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/task.h"
#include "exchange/body_source.h"
#include "net/client_connection.h"

namespace sandgate::gateway {

class Upload {
 public:
  // `body` outlives the upload.
  explicit Upload(BodySource& body) : body_(body) {}
  Upload(const Upload&) = delete;
  Upload& operator=(const Upload&) = delete;
  ~Upload();

  // Starts to read the first piece. Later calls do nothing.
  void begin();
  // The first piece when it has arrived; empty when it has not, or when the body turned out to have no bytes. Valid
  // until proceed().
  std::string_view ready_piece() const { return piece_; }
  // The head is out on `connection` together with `sent`, which is ready_piece() as it was then, or nothing. The rest
  // follows. `connection` must live until running() is false.
  void proceed(net::ClientConnection& connection, std::string_view sent);

  bool running() const { return running_; }
  // Whether proceed() was called: bytes of the body may be on their way.
  bool attached() const { return connection_ != nullptr; }
  // Gives up what is left and waits for the coroutine to end. A write that waits for the upstream ends only with
  // connection.abort(), which the caller does first.
  Task<void> stop();

  // Why the client's body could not be read; null while all is well. The connection was aborted then, so that the wait
  // for the response ends.
  const Error* client_error() const { return client_error_ ? &*client_error_ : nullptr; }
  // The upstream took no bytes for too long; the connection was aborted.
  bool upstream_timed_out() const { return upstream_timed_out_; }

 private:
  static Detached pump(Upload& upload);
  Task<bool> send(std::string_view piece);
  void client_failed(const Error& error);

  BodySource& body_;
  net::ClientConnection* connection_ = nullptr;
  std::string_view piece_;
  std::optional<Error> client_error_;
  Event gate_;  // set when the head is out, or never
  Event done_;
  bool begun_ = false;
  bool running_ = false;
  bool stopping_ = false;
  bool sent_with_head_ = false;
  bool upstream_timed_out_ = false;
};

}  // namespace sandgate::gateway
