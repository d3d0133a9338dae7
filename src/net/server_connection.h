// SPDX-License-Identifier: Apache-2.0
//
// One client connection: reads heads, makes an exchange of each, gives it to the handler, keeps the connection or closes it. Lives on one loop; deletes itself when it
// has ended and tells its owner. Steps 2 and 8 of the life of a request.
#pragma once

#include <memory>
#include <string>

#include "exchange/handler.h"
#include "http/head_parser.h"
#include "net/address.h"
#include "net/buffer_pool.h"
#include "net/server_options.h"
#include "net/stream.h"

namespace sandgate::net {

class ServerConnection;

// The server, seen from a connection. Outlives it.
class ConnectionOwner {
 public:
  virtual ~ConnectionOwner() = default;
  virtual const Handler& handler() const = 0;
  virtual const ServerOptions& options() const = 0;
  virtual ServerCounters& counters() = 0;
  // No further request is to be served on any connection.
  virtual bool draining() const = 0;
  // On the connection's loop; the connection is deleted right after.
  virtual void connection_ended(ServerConnection& connection) = 0;
};

class ServerConnection {
 public:
  // Starts serving at once. Both addresses are of the accepted socket.
  static ServerConnection* start(ConnectionOwner& owner, LoopThread& loop, Socket socket, const Address& peer, const Address& local);
  ServerConnection(const ServerConnection&) = delete;
  ServerConnection& operator=(const ServerConnection&) = delete;

  // Draining: an idle connection ends now, a busy one after its response.
  void drain();
  // Ends now, whatever it does: the exchange is cancelled.
  void close();

  LoopThread& loop() const { return stream_->loop(); }

  // Links of the owner's list.
  ServerConnection* previous = nullptr;
  ServerConnection* next = nullptr;

 private:
  ServerConnection(ConnectionOwner& owner, StreamPtr stream, const Address& peer, const Address& local);
  ~ServerConnection() = default;

  enum class Next : unsigned char { kRequest, kLinger, kClose };

  Detached run();
  // Waits for a whole head. False: the connection is to end, a refusal has been sent if one was due.
  Task<Next> read_head(http::RequestHead& head, http::BodyFraming& framing);
  Task<Next> serve(Scratch& scratch);
  Task<void> refuse(http::Refusal refusal);
  // Lets the client read what was sent before the connection is torn down.
  Task<void> linger();
  static void input_unawaited(void* owner, IoStatus status);

  ConnectionOwner& owner_;
  StreamPtr stream_;
  http::RequestParser parser_;
  std::string peer_address_;
  std::string local_address_;
  Exchange* exchange_ = nullptr;  // while a handler runs
  std::uint16_t peer_port_;
  std::uint16_t local_port_;
  bool peer_loopback_;
  bool local_loopback_;
};

}  // namespace sandgate::net
