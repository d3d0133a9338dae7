// SPDX-License-Identifier: Apache-2.0
#include "net/server_connection.h"

#include <sys/uio.h>

#include <memory>
#include <utility>

#include "base/ascii.h"
#include "exchange/problem.h"
#include "http/head_writer.h"
#include "net/loop_thread.h"
#include "net/next_turn.h"
#include "net/proxy_protocol.h"
#include "net/response_writer.h"

namespace sandgate::net {
namespace {

// How long and how much is read and dropped after a last response, so that the client gets it before a reset.
constexpr Milliseconds kLingerTime{2000};
constexpr std::size_t kLingerBytesMax = 256 * 1024;
// How long what a handler left of a small body may take to arrive.
constexpr Milliseconds kDrainTime{5000};
// How long a connection may take to ask once more when draining began: one that was just accepted, or one that is kept
// alive and whose next request may be on its way. Clients under load ask within milliseconds.
constexpr Milliseconds kLastRequestTime{1000};
// Pipelined requests served in a row before others have their turn.
constexpr unsigned kServedPerTurn = 16;

RequestBody::Expectation expectation(const http::RequestHead& head) {
  std::optional<std::string_view> expect = head.fields.find(http::FieldId::kExpect);
  bool expects = expect && head.minor_version > 0 && equals_ignoring_case(*expect, "100-continue");
  return expects ? RequestBody::Expectation::kContinue : RequestBody::Expectation::kNone;
}

}  // namespace

ServerConnection* ServerConnection::start(ConnectionOwner& owner, StreamPtr stream, const Address& peer,
                                          const Address& local) {
  auto* connection = new ServerConnection(owner, std::move(stream), peer, local);
  connection->stream_->on_unawaited_input(&ServerConnection::input_unawaited, connection);
  // Not now, so that the caller may list the connection before anything ends it.
  connection->loop().next_turn([](void* started) { static_cast<ServerConnection*>(started)->run(); }, connection);
  return connection;
}

ServerConnection::ServerConnection(ConnectionOwner& owner, StreamPtr stream, const Address& peer, const Address& local)
    : owner_(owner),
      stream_(std::move(stream)),
      parser_(owner.options().head_limits),
      client_(peer),
      peer_address_(peer.host_text()),
      local_address_(local.host_text()),
      peer_port_(peer.port()),
      local_port_(local.port()),
      peer_loopback_(peer.is_loopback()),
      local_loopback_(local.is_loopback()),
      proxied_(owner.options().proxy_protocol_from && owner.options().proxy_protocol_from(peer)) {}

void ServerConnection::drain() {
  if (writer_ != nullptr) writer_->close_after();
  // Last: this ends the connection.
  if (waiting_ && !last_wait_ && stream_->silent()) stream_->interrupt_read();
}

bool ServerConnection::yield_room(Nanoseconds since) {
  if (!waiting_ || waiting_since_ > since || !stream_->silent()) return false;
  stream_->interrupt_read();
  return true;
}

void ServerConnection::close() {
  stream_->close();
  // Ends the handler at once, perhaps, but not the connection: see handle().
  if (exchange_ != nullptr) exchange_->cancellation.cancel(ErrorKind::kOverloaded, "the server is shutting down");
}

void ServerConnection::input_unawaited(void* owner, IoStatus status) {
  auto& connection = *static_cast<ServerConnection*>(owner);
  // A pipelined request waits in the kernel.
  if (status == IoStatus::kReady || connection.exchange_ == nullptr) return;
  // After an upgrade an end is half of a conversation: whoever reads will see it.
  if (status == IoStatus::kEnd && connection.writer_->taken_over()) return;
  connection.exchange_->cancellation.cancel(ErrorKind::kDisconnected, "the client left");
}

Detached ServerConnection::run() {
  Next next = Next::kRequest;
  if (proxied_) {
    bool told = co_await read_proxy_header();
    if (!told) next = Next::kClose;
  }
  // Closed without a word: an answer to each would be work that a client can order.
  ClientConnections::Place place;
  if (next == Next::kRequest && !owner_.clients().enter(client_, place)) {
    owner_.counters().refused_clients.fetch_add(1, std::memory_order_relaxed);
    next = Next::kClose;
  }
  // Once draining began, a connection is served one more request: the answer to the one before promised that.
  while (next == Next::kRequest) {
    if (stream_->input().empty()) {
      bool came = co_await wait_for_request(owner_.draining() ? kLastRequestTime : owner_.options().idle);
      if (!came) break;
    }
    std::unique_ptr<Scratch> scratch = loop().buffers().lease_scratch();
    next = co_await serve(*scratch);
    loop().buffers().release_scratch(std::move(scratch));
  }
  if (next == Next::kLinger) co_await linger();
  stream_->close();
  place.release();
  owner_.connection_ended(*this);
  delete this;
}

Task<bool> ServerConnection::read_proxy_header() {
  using Kind = ProxyHeaderResult::Kind;
  Nanoseconds deadline = loop().now() + owner_.options().head;
  for (;;) {
    ProxyHeaderResult result = parse_proxy_header(stream_->input());
    if (result.kind == Kind::kDone) {
      stream_->consume(result.consumed);
      take_addresses(result.header);
      co_return true;
    }
    std::size_t before = stream_->input().size();
    Milliseconds left = std::chrono::duration_cast<Milliseconds>(deadline - loop().now());
    if (result.kind == Kind::kMore && left.count() > 0) {
      if (before == 0) {
        bool came = co_await wait_for_request(left);
        // Connects and leaves: how many a balancer asks whether a server is well.
        if (!came && (stream_->read_state() != IoStatus::kReady || owner_.draining())) co_return false;
      } else {
        co_await stream_->more(left);
      }
      if (stream_->input().size() > before) continue;
    }
    owner_.counters().refused_proxy_headers.fetch_add(1, std::memory_order_relaxed);
    co_return false;
  }
}

// Whatever a header says, nobody in it is on this machine: rights that loopback clients have are not for those whom a
// proxy brings. Its own connection keeps what the socket says.
void ServerConnection::take_addresses(const ProxyHeader& header) {
  if (header.client == ProxyHeader::Client::kProxyItself) return;
  peer_loopback_ = false;
  local_loopback_ = false;
  if (header.client != ProxyHeader::Client::kTold) return;
  client_ = ClientKey(header.source);
  peer_address_ = header.source.host_text();
  peer_port_ = header.source.port();
  local_address_ = header.destination.host_text();
  local_port_ = header.destination.port();
}

// An idle connection holds no memory but its own.
Task<bool> ServerConnection::wait_for_request(Milliseconds patience) {
  stream_->rest();
  waiting_ = true;
  waiting_since_ = loop().now();
  last_wait_ = owner_.draining();
  IoStatus status = co_await stream_->more(patience);
  // Interrupted by drain(). Closed now, it would cross a request that is on its way.
  if (status == IoStatus::kBroken && owner_.draining() && !last_wait_ && stream_->silent()) {
    last_wait_ = true;
    status = co_await stream_->more(kLastRequestTime);
  }
  // A request that came in the last moment counts, though the loop was not told yet.
  if (status == IoStatus::kTimedOut && !stream_->silent()) co_await stream_->more(patience);
  waiting_ = false;
  co_return !stream_->input().empty();
}

Task<ServerConnection::Next> ServerConnection::read_head(http::RequestHead& head, http::BodyFraming& framing) {
  using Kind = http::HeadResult::Kind;
  Nanoseconds deadline = loop().now() + owner_.options().head;
  parser_.reset();
  for (;;) {
    http::HeadResult result = parser_.parse(stream_->input(), head, framing);
    if (result.kind == Kind::kDone) {
      stream_->consume(result.consumed);
      co_return Next::kRequest;
    }
    if (result.kind == Kind::kRefused) {
      co_await refuse(result.refusal);
      co_return Next::kLinger;
    }
    Milliseconds left = std::chrono::duration_cast<Milliseconds>(deadline - loop().now());
    std::size_t before = stream_->input().size();
    IoStatus status = IoStatus::kTimedOut;
    if (left.count() > 0) status = co_await stream_->more(left);
    if (stream_->input().size() > before) continue;
    // An empty line is no request yet: such a client is just idle.
    if (status == IoStatus::kTimedOut && parser_.started()) {
      owner_.counters().timed_out_heads.fetch_add(1, std::memory_order_relaxed);
      co_await refuse({408, "the request head did not arrive in time"});
      co_return Next::kLinger;
    }
    // The client left in the middle of a head. (One that fills the buffer was refused before.)
    co_return Next::kClose;
  }
}

Task<ServerConnection::Next> ServerConnection::serve(Scratch& scratch) {
  const ServerOptions& options = owner_.options();
  Exchange exchange(loop(), scratch.arena);
  http::BodyFraming framing;
  Next got = co_await read_head(exchange.request, framing);
  if (got != Next::kRequest) co_return got;

  exchange.peer = {peer_address_, peer_port_, peer_loopback_};
  exchange.local = {local_address_, local_port_, local_loopback_};
  exchange.started = loop().precise_now();
  bool keep = http::wants_keep_alive(exchange.request.fields, exchange.request.minor_version) && !owner_.draining();
  RequestBody body(*stream_, framing, expectation(exchange.request), options.body, scratch.arena,
                   exchange.record.request_bytes);
  using Afterwards = ResponseWriter::Afterwards;
  ResponseWriter writer(*stream_, exchange, body, scratch.output, keep ? Afterwards::kKeepAlive : Afterwards::kClose,
                        options.write);
  exchange.set_body(body);
  exchange.set_sink(writer);
  exchange.set_upgrade(&writer);
  co_await handle(exchange, writer);
  Next after = co_await after_response(body, writer);
  co_return after;
}

Task<void> ServerConnection::handle(Exchange& exchange, ResponseWriter& writer) {
  exchange_ = &exchange;
  writer_ = &writer;
  Status served = co_await owner_.handler().serve(exchange);
  const Cancellation& cancellation = exchange.cancellation;
  bool left = cancellation.cancelled() && cancellation.kind() == ErrorKind::kDisconnected;
  if (!writer.committed() && !left && !stream_->output_broken()) {
    if (served) served = fail(ErrorKind::kInternal, "no handler answered");
    // Whether it arrives shows in the writer.
    served = co_await respond_error(exchange, served.error());
  }
  exchange_ = nullptr;
  writer_ = nullptr;
  // Whoever cancelled may still be inside cancel(), which looks at the exchange once more.
  if (cancellation.cancelled()) co_await NextTurn{loop()};
}

Task<ServerConnection::Next> ServerConnection::after_response(RequestBody& body, const ResponseWriter& writer) {
  if (stream_->output_broken()) co_return Next::kClose;
  if (!writer.completed()) co_return writer.taken_over() ? Next::kLinger : Next::kClose;
  if (!writer.keep_alive()) co_return Next::kLinger;
  bool drained = co_await body.drain(kDrainTime);
  if (!drained) co_return Next::kLinger;
  // A client that sends many requests at once is served them in portions.
  if (!stream_->input().empty()) {
    if (turn_ != loop().turn()) served_in_turn_ = 0;
    turn_ = loop().turn();
    if (++served_in_turn_ >= kServedPerTurn) co_await NextTurn{loop()};
  }
  co_return Next::kRequest;
}

Task<void> ServerConnection::refuse(http::Refusal refusal) {
  owner_.counters().refused_heads.fetch_add(1, std::memory_order_relaxed);
  Problem problem;
  problem.status = refusal.status;
  problem.error = "invalid";
  problem.detail = refusal.reason;
  std::string body = problem_json(problem, {});
  Arena arena;
  http::ResponseHead head(arena);
  head.status = refusal.status;
  head.fields.add("content-type", "application/problem+json");
  std::string bytes;
  http::write_response_head(bytes, head, {http::BodyFraming::Kind::kLength, body.size()},
                            http::ConnectionOption::kClose, loop().http_date());
  bytes += body;
  iovec piece{bytes.data(), bytes.size()};
  co_await stream_->write({&piece, 1}, owner_.options().write);
}

Task<void> ServerConnection::linger() {
  stream_->shutdown_write();
  Nanoseconds deadline = loop().now() + kLingerTime;
  for (std::size_t dropped = 0; dropped < kLingerBytesMax;) {
    dropped += stream_->input().size();
    stream_->consume(stream_->input().size());
    stream_->rest();
    Milliseconds left = std::chrono::duration_cast<Milliseconds>(deadline - loop().now());
    if (left.count() <= 0) break;
    co_await stream_->more(left);
    if (stream_->input().empty()) break;
  }
}

}  // namespace sandgate::net
