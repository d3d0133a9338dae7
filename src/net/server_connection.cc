// SPDX-License-Identifier: Apache-2.0
#include "net/server_connection.h"

#include <utility>

#include "base/ascii.h"
#include "exchange/problem.h"
#include "http/head_writer.h"
#include "net/loop_thread.h"
#include "net/request_body.h"
#include "net/response_writer.h"

namespace sandgate::net {
namespace {

// How long and how much is read and dropped after a last response, so that the client gets it before a reset.
constexpr Milliseconds kLingerTime{2000};
constexpr std::size_t kLingerBytesMax = 256 * 1024;

bool expects_continue(const http::RequestHead& head) {
  std::optional<std::string_view> expect = head.fields.find(http::FieldId::kExpect);
  return expect && head.minor_version > 0 && equals_ignoring_case(*expect, "100-continue");
}

}  // namespace

ServerConnection* ServerConnection::start(ConnectionOwner& owner, LoopThread& loop, Socket socket, const Address& peer, const Address& local) {
  auto* connection = new ServerConnection(owner, StreamPtr(Stream::create(loop, std::move(socket))), peer, local);
  connection->stream_->on_unawaited_input(&ServerConnection::input_unawaited, connection);
  // First read before the first suspension, so that the caller may list the connection before anything ends it.
  loop.next_turn([](void* started) { static_cast<ServerConnection*>(started)->run(); }, connection);
  return connection;
}

ServerConnection::ServerConnection(ConnectionOwner& owner, StreamPtr stream, const Address& peer, const Address& local)
    : owner_(owner),
      stream_(std::move(stream)),
      parser_(owner.options().head_limits),
      peer_address_(peer.host_text()),
      local_address_(local.host_text()),
      peer_port_(peer.port()),
      local_port_(local.port()),
      peer_loopback_(peer.is_loopback()),
      local_loopback_(local.is_loopback()) {}

void ServerConnection::drain() {
  if (exchange_ == nullptr && stream_->input().empty()) stream_->interrupt_read();
}

void ServerConnection::close() {
  if (exchange_ != nullptr) exchange_->cancellation.cancel(ErrorKind::kOverloaded, "the server is shutting down");
  stream_->close();
}

void ServerConnection::input_unawaited(void* owner, IoStatus status) {
  auto& connection = *static_cast<ServerConnection*>(owner);
  if (status == IoStatus::kReady) {
    // A pipelined request: keep watching for the client's end while there is room.
    connection.stream_->start_read();
  } else if (connection.exchange_ != nullptr) {
    connection.exchange_->cancellation.cancel(ErrorKind::kDisconnected, "the client left");
  }
}

Detached ServerConnection::run() {
  Next next = Next::kRequest;
  while (next == Next::kRequest && !owner_.draining()) {
    // An idle connection holds no scratch memory.
    if (stream_->input().empty()) {
      stream_->rest();
      IoStatus status = co_await stream_->more(owner_.options().idle);
      if (stream_->input().empty()) {
        (void)status;
        break;
      }
    }
    std::unique_ptr<Scratch> scratch = stream_->loop().buffers().lease_scratch();
    next = co_await serve(*scratch);
    stream_->loop().buffers().release_scratch(std::move(scratch));
  }
  if (next == Next::kLinger) co_await linger();
  stream_->close();
  owner_.connection_ended(*this);
  delete this;
}

Task<ServerConnection::Next> ServerConnection::read_head(http::RequestHead& head, http::BodyFraming& framing) {
  using Kind = http::HeadResult::Kind;
  const ServerOptions& options = owner_.options();
  Nanoseconds deadline = stream_->loop().now() + options.head;
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
    Milliseconds left = std::chrono::duration_cast<Milliseconds>(deadline - stream_->loop().now());
    std::size_t before = stream_->input().size();
    IoStatus status = IoStatus::kTimedOut;
    if (left.count() > 0) status = co_await stream_->more(left);
    if (stream_->input().size() > before) continue;
    if (status == IoStatus::kTimedOut) {
      owner_.counters().timed_out_heads.fetch_add(1, std::memory_order_relaxed);
      co_await refuse({408, "the request head did not arrive in time"});
      co_return Next::kLinger;
    }
    // The client left in the middle of a head, or fills the buffer with one that has no end (which the parser refuses first).
    co_return Next::kClose;
  }
}

Task<ServerConnection::Next> ServerConnection::serve(Scratch& scratch) {
  LoopThread& loop = stream_->loop();
  const ServerOptions& options = owner_.options();
  Exchange exchange(loop, scratch.arena);
  http::BodyFraming framing;
  Next next = co_await read_head(exchange.request, framing);
  if (next != Next::kRequest) co_return next;

  exchange.peer = {peer_address_, peer_port_, peer_loopback_};
  exchange.local = {local_address_, local_port_, local_loopback_};
  exchange.started = loop.precise_now();
  bool keep_alive = http::wants_keep_alive(exchange.request.fields, exchange.request.minor_version) && !owner_.draining();
  RequestBody body(*stream_, framing, expects_continue(exchange.request), options.body, scratch.arena, exchange.record.request_bytes);
  ResponseWriter writer(*stream_, exchange, body, scratch.output, keep_alive, options.write);
  exchange.set_body(body);
  exchange.set_sink(writer);
  exchange.set_upgrade(&writer);

  exchange_ = &exchange;
  // The gateway answers errors itself; what is left shows in the writer's state.
  Status served = co_await owner_.handler().serve(exchange);
  exchange_ = nullptr;
  if (!served || !writer.completed()) co_return writer.committed() || stream_->closed() ? Next::kClose : Next::kLinger;
  if (!writer.keep_alive() || owner_.draining()) co_return Next::kLinger;
  bool drained = co_await body.drain();
  co_return drained ? Next::kRequest : Next::kLinger;
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
  http::write_response_head(bytes, head, {http::BodyFraming::Kind::kLength, body.size()}, http::ConnectionOption::kClose,
                            stream_->loop().http_date());
  bytes += body;
  iovec piece{bytes.data(), bytes.size()};
  IoStatus ignored = co_await stream_->write({&piece, 1}, owner_.options().write);
  (void)ignored;
}

Task<void> ServerConnection::linger() {
  stream_->shutdown_write();
  Nanoseconds deadline = stream_->loop().now() + kLingerTime;
  std::size_t dropped = 0;
  while (dropped < kLingerBytesMax && stream_->loop().now() < deadline) {
    dropped += stream_->input().size();
    stream_->consume(stream_->input().size());
    IoStatus status = co_await stream_->more(kLingerTime);
    if (status != IoStatus::kReady) break;
  }
}

}  // namespace sandgate::net
