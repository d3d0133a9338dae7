// SPDX-License-Identifier: Apache-2.0
//
// One client connection: reads heads, makes an exchange of each, gives it to the handler, keeps the connection or
// closes it. Lives on one loop; deletes itself when it has ended and tells its owner. Steps 2 and 8 of the life of a
// request.
//
// A client that ends its side, or resets, while a handler runs has left: the exchange is cancelled. One whose end came
// together with its request has only nothing more to ask, and is answered.
#pragma once

#include <cstdint>
#include <string>

#include "exchange/handler.h"
#include "http/head_parser.h"
#include "net/address.h"
#include "net/buffer_pool.h"
#include "net/client_connections.h"
#include "net/request_body.h"
#include "net/server_options.h"
#include "net/stream.h"

namespace sandgate::net {

class ResponseWriter;
struct ProxyHeader;
class ServerConnection;

// The server, seen from a connection. Outlives it.
class ConnectionOwner {
 public:
  virtual ~ConnectionOwner() = default;
  virtual const Handler& handler() const = 0;
  virtual const ServerOptions& options() const = 0;
  virtual ServerCounters& counters() = 0;
  virtual ClientConnections& clients() = 0;
  // No further request is to be served on any connection.
  virtual bool draining() const = 0;
  // On the connection's loop; the connection is deleted right after.
  virtual void connection_ended(ServerConnection& connection) = 0;
};

class ServerConnection {
 public:
  // Starts serving on the loop's next turn. Both addresses are of the accepted socket.
  static ServerConnection* start(ConnectionOwner& owner, StreamPtr stream, const Address& peer, const Address& local);
  ServerConnection(const ServerConnection&) = delete;
  ServerConnection& operator=(const ServerConnection&) = delete;

  // Draining: a busy connection ends after its response, an idle one after one more request, or soon without one.
  void drain();
  // There is no room for new clients: ends a connection that has been idle since before `since`. Whether it was.
  bool yield_room(Nanoseconds since);
  // Ends soon, whatever it does: the exchange is cancelled. The connection exists until a later turn.
  void close();

  LoopThread& loop() const { return stream_->loop(); }

  // Links of the owner's list.
  ServerConnection* listed_before = nullptr;
  ServerConnection* listed_after = nullptr;

 private:
  ServerConnection(ConnectionOwner& owner, StreamPtr stream, const Address& peer, const Address& local);
  ~ServerConnection() = default;

  // What comes after a request: another one, an orderly end, or an end.
  enum class Next : unsigned char { kRequest, kLinger, kClose };

  Detached run();
  // What a trusted proxy must say before anything else. False: it did not, and the connection ends.
  Task<bool> read_proxy_header();
  void take_addresses(const ProxyHeader& header);
  // Whether the first byte of one came.
  Task<bool> wait_for_request(Milliseconds patience);
  // Waits for a whole head. Otherwise than kRequest: a refusal has been sent if one was due.
  Task<Next> read_head(http::RequestHead& head, http::BodyFraming& framing);
  Task<Next> serve(Scratch& scratch);
  // Runs the handler; answers for it when it did not.
  Task<void> handle(Exchange& exchange, ResponseWriter& writer);
  Task<Next> after_response(RequestBody& body, const ResponseWriter& writer);
  Task<void> refuse(http::Refusal refusal);
  // Lets the client read what was sent before the connection is torn down.
  Task<void> linger();
  static void input_unawaited(void* owner, IoStatus status);

  ConnectionOwner& owner_;
  StreamPtr stream_;
  http::RequestParser parser_;
  ClientKey client_;
  std::string peer_address_;
  std::string local_address_;
  Exchange* exchange_ = nullptr;      // while a handler runs
  ResponseWriter* writer_ = nullptr;  // of it
  Nanoseconds waiting_since_{0};
  std::uint32_t turn_ = 0;
  std::uint16_t served_in_turn_ = 0;
  std::uint16_t peer_port_;
  std::uint16_t local_port_;
  bool peer_loopback_;
  bool local_loopback_;
  const bool proxied_;      // begins with a PROXY protocol header
  bool waiting_ = false;    // for the first byte of a request
  bool last_wait_ = false;  // draining has begun: the time of this wait is the last
};

}  // namespace sandgate::net
