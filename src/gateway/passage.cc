// SPDX-License-Identifier: Apache-2.0
#include "gateway/passage.h"

#include <optional>
#include <string>
#include <utility>

#include "gateway/content_length.h"
#include "gateway/proxy.h"
#include "gateway/tunnel.h"
#include "http/hop_by_hop.h"

namespace sandgate::gateway {
namespace {

using net::ClientConnection;

http::BodyFraming framing_of(const BodySource& body) {
  std::optional<std::uint64_t> length = body.length();
  if (!length) return {http::BodyFraming::Kind::kChunked, 0};
  if (*length == 0) return {};
  return {http::BodyFraming::Kind::kLength, *length};
}

Talk over(Status status) { return {Talk::Next::kOver, std::move(status)}; }

// The request or the head of its answer failed on the wire.
Talk broken_off(const Passage& passage, const net::Lease& lease, const Error& error) {
  const Upload& upload = passage.upload;
  if (passage.over.cancelled()) return over(passage.cancelled());
  if (upload.client_error() != nullptr) return over(fail(*upload.client_error()));
  if (upload.upstream_timed_out()) {
    passage.failed(ServerHealth::Failure::kBadAnswer);
    return over(fail(ErrorKind::kTimedOut, "the upstream did not take the request in time", error.detail));
  }
  bool closed = error.kind == ErrorKind::kDisconnected;
  Talk talk = over(fail(upstream_error(
      error, "the upstream did not answer in time",
      closed ? "the upstream closed the connection before it answered" : "the upstream's answer is not valid HTTP")));
  const ClientConnection& connection = lease.connection();
  bool silent = closed && !upload.attached() && !connection.received_any();
  // A kept connection may have ended while the request was on its way: no sign of illness.
  if (silent && lease.reused() && (!connection.wrote_any() || passage.repeatable())) {
    talk.next = Talk::Next::kFreshConnection;
    return talk;
  }
  passage.failed(ServerHealth::Failure::kBadAnswer);
  if (silent && (!connection.wrote_any() || passage.repeatable())) talk.next = Talk::Next::kOtherServer;
  return talk;
}

// The body of the final response, piece by piece as it comes.
Task<Status> relay(Passage& passage, ClientConnection& connection, http::ResponseHead& head) {
  Exchange& exchange = passage.exchange;
  ResponseSink& sink = exchange.sink();
  BodySource& body = connection.body();
  bool bodyless = passage.head.is_head() || http::status_forbids_body(head.status);
  make_client_response(exchange, head);
  Status status = co_await sink.start(head, bodyless ? content_length(head.fields) : body.length());
  if (!status) co_return status;
  while (!bodyless) {
    Result<std::string_view> piece = co_await body.read();
    if (!piece) {
      sink.abort();
      if (passage.over.cancelled()) co_return passage.cancelled();
      if (passage.upload.client_error() != nullptr) co_return fail(*passage.upload.client_error());
      passage.failed(ServerHealth::Failure::kBadAnswer);
      co_return fail(upstream_error(piece.error(), "the upstream's answer stalled", "the upstream's answer broke off"));
    }
    if (piece->empty()) break;
    status = co_await sink.write(*piece);
    if (!status) co_return status;
  }
  passage.succeeded();
  status = co_await sink.finish(bodyless ? nullptr : body.trailers());
  co_return status;
}

// A 101: from here on bytes go both ways until one side ends.
Task<Status> switch_protocols(Passage& passage, ClientConnection& connection, http::ResponseHead& head) {
  Exchange& exchange = passage.exchange;
  if (passage.upgrading != Upgrading::kWebSocket || !http::asks_for_websocket(head.fields)) {
    co_return fail(ErrorKind::kUpstream, "the upstream switched to a protocol that was not asked for");
  }
  make_upgrade_response(exchange, head);
  Result<RawStream*> client = co_await exchange.take_over(head);
  if (!client) co_return fail(std::move(client.error()));
  Tunnel tunnel(exchange, **client, connection.raw());
  co_await tunnel.run();
  co_return Status();
}

// An upstream that takes no more may have said why before it closed. One that got no byte was gone already, and a
// request without a body leaves in one piece: what such a connection holds answers something else.
bool may_have_answered(const Passage& passage, const ClientConnection& connection, const Error& error) {
  return error.kind == ErrorKind::kDisconnected && passage.has_body() && connection.wrote_any() &&
         !passage.over.cancelled();
}

}  // namespace

WholeTime::WholeTime(Exchange& the_exchange, Milliseconds total)
    : exchange(the_exchange),
      exchange_over(the_exchange.cancellation, &WholeTime::exchange_cancelled, this),
      timer(the_exchange.loop(), &WholeTime::took_too_long, this) {
  if (exchange.cancellation.cancelled()) exchange_cancelled(this);
  timer.arm(total);
}

void WholeTime::exchange_cancelled(void* owner) {
  auto& whole = *static_cast<WholeTime*>(owner);
  whole.over.cancel(whole.exchange.cancellation.kind(), whole.exchange.cancellation.reason());
}

void WholeTime::took_too_long(void* owner) {
  static_cast<WholeTime*>(owner)->over.cancel(ErrorKind::kTimedOut, "the upstream took too long in all");
}

Passage::Passage(Exchange& the_exchange, Milliseconds total)
    : exchange(the_exchange),
      over(total.count() > 0 ? whole_time.emplace(the_exchange, total).over : the_exchange.cancellation),
      head(the_exchange.arena()),
      framing(framing_of(the_exchange.body())),
      upload(the_exchange.body()),
      upgrading(asks_to_upgrade(the_exchange)) {
  make_upstream_request(exchange, upgrading, head);
}

std::unexpected<Error> Passage::cancelled() const { return fail(over.kind(), std::string(over.reason())); }

void Passage::failed(ServerHealth::Failure failure) const {
  server->on(exchange.loop()).failures.add();
  server->health().failed(era, failure, exchange.loop());
}

Error upstream_error(const Error& error, std::string_view timed_out, std::string_view broken) {
  std::string cause = error.cause.empty() ? error.detail : error.detail + ": " + error.cause;
  if (error.kind == ErrorKind::kTimedOut) return {ErrorKind::kTimedOut, std::string(timed_out), std::move(cause)};
  if (error.kind == ErrorKind::kOverloaded)
    return {ErrorKind::kOverloaded, "no connection to an upstream is free", std::move(cause)};
  return {ErrorKind::kUpstream, std::string(broken), std::move(cause)};
}

Task<Talk> talk(Passage& passage, const net::Lease& lease) {
  ClientConnection& connection = lease.connection();
  Upload& upload = passage.upload;
  Stopwatch watch(passage.exchange);
  if (passage.has_body()) upload.begin();
  if (upload.client_error() != nullptr) co_return over(fail(*upload.client_error()));
  std::string_view first = upload.ready_piece();
  bool upgrade = passage.upgrading == Upgrading::kWebSocket;
  Status sent = co_await connection.write_head(passage.head, passage.framing, upgrade, first);
  if (sent && upload.client_error() != nullptr) co_return broken_off(passage, lease, *upload.client_error());
  if (!sent && !may_have_answered(passage, connection, sent.error())) {
    co_return broken_off(passage, lease, sent.error());
  }
  if (sent && upload.running()) upload.proceed(connection, first);
  for (int interim = 0; interim <= Proxy::kInterimMax; ++interim) {
    http::ResponseHead head(passage.exchange.arena());
    Status received = co_await connection.read_head(passage.head.method, head);
    // While the body goes out the upstream owes no answer; its progress has timeouts of its own.
    while (sent && !received && received.error().kind == ErrorKind::kTimedOut && upload.running()) {
      received = co_await connection.read_head(passage.head.method, head);
    }
    if (!received) co_return broken_off(passage, lease, sent ? received.error() : sent.error());
    if (interim == 0) passage.exchange.record.upstream_times.first_byte = watch.read();
    if (head.status >= 200) {
      passage.answered();
      Status relayed = co_await relay(passage, connection, head);
      co_return over(std::move(relayed));
    }
    if (head.status == 101) {
      passage.succeeded();
      // Tunnels have an end of their own.
      if (passage.whole_time) passage.whole_time->timer.disarm();
      Status switched = co_await switch_protocols(passage, connection, head);
      connection.abort();
      co_return over(std::move(switched));
    }
    if (head.status == 100) continue;
    http::remove_hop_by_hop(head.fields);
    Status passed = co_await passage.exchange.sink().informational(head);
    if (!passed) co_return over(std::move(passed));
  }
  connection.abort();
  passage.failed(ServerHealth::Failure::kBadAnswer);
  co_return over(fail(ErrorKind::kUpstream, "the upstream sent too many interim responses"));
}

}  // namespace sandgate::gateway
