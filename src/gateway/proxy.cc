// SPDX-License-Identifier: Apache-2.0
#include "gateway/proxy.h"

#include <optional>
#include <string>
#include <utility>

#include "exchange/problem.h"
#include "gateway/client_body_error.h"
#include "gateway/content_length.h"
#include "gateway/proxy_fields.h"
#include "gateway/tunnel.h"
#include "gateway/upload.h"
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

// One request on its way. Lives in the frame of serve().
struct Passage {
  explicit Passage(Exchange& the_exchange)
      : exchange(the_exchange),
        head(the_exchange.arena()),
        framing(framing_of(the_exchange.body())),
        upload(the_exchange.body()),
        upgrading(asks_to_upgrade(the_exchange)) {
    make_upstream_request(exchange, upgrading, head);
  }

  bool has_body() const { return framing.kind != http::BodyFraming::Kind::kNone; }
  // Whether sending it all again does no harm.
  bool repeatable() const { return !has_body() && head.is_idempotent(); }

  Exchange& exchange;
  http::RequestHead head;
  http::BodyFraming framing;
  Upload upload;
  Upgrading upgrading;
};

// How talking to one connection went. Beyond kOver the request may go out again; `status` is the answer if it cannot.
struct Talk {
  enum class Next : unsigned char { kOver, kFreshConnection, kOtherServer };
  Next next = Next::kOver;
  Status status;
};

Talk over(Status status) { return {Talk::Next::kOver, std::move(status)}; }

std::unexpected<Error> cancelled(const Exchange& exchange) {
  return fail(exchange.cancellation.kind(), std::string(exchange.cancellation.reason()));
}

// What `error` of a connection means to the client, who did nothing wrong.
Error upstream_error(const Error& error, std::string_view timed_out, std::string_view broken) {
  std::string cause = error.cause.empty() ? error.detail : error.detail + ": " + error.cause;
  if (error.kind == ErrorKind::kTimedOut) return {ErrorKind::kTimedOut, std::string(timed_out), std::move(cause)};
  if (error.kind == ErrorKind::kOverloaded)
    return {ErrorKind::kOverloaded, "no connection to an upstream is free", std::move(cause)};
  return {ErrorKind::kUpstream, std::string(broken), std::move(cause)};
}

// The request or the head of its answer failed on the wire.
Talk broken_off(const Passage& passage, const net::Lease& lease, const Error& error) {
  const Upload& upload = passage.upload;
  if (passage.exchange.cancellation.cancelled()) return over(cancelled(passage.exchange));
  if (upload.client_error() != nullptr) return over(fail(*upload.client_error()));
  if (upload.upstream_timed_out()) {
    return over(fail(ErrorKind::kTimedOut, "the upstream did not take the request in time", error.detail));
  }
  bool closed = error.kind == ErrorKind::kDisconnected;
  Talk talk = over(fail(upstream_error(
      error, "the upstream did not answer in time",
      closed ? "the upstream closed the connection before it answered" : "the upstream's answer is not valid HTTP")));
  const ClientConnection& connection = lease.connection();
  if (!closed || upload.attached() || connection.received_any()) return talk;
  if (lease.reused() && (!connection.wrote_any() || passage.repeatable())) {
    talk.next = Talk::Next::kFreshConnection;
  } else if (!connection.wrote_any()) {
    talk.next = Talk::Next::kOtherServer;
  }
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
      if (exchange.cancellation.cancelled()) co_return cancelled(exchange);
      if (passage.upload.client_error() != nullptr) co_return fail(*passage.upload.client_error());
      co_return fail(upstream_error(piece.error(), "the upstream's answer stalled", "the upstream's answer broke off"));
    }
    if (piece->empty()) break;
    status = co_await sink.write(*piece);
    if (!status) co_return status;
  }
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
         !passage.exchange.cancellation.cancelled();
}

// Sends the request on a leased connection, which the caller owns, and passes the answer on.
Task<Talk> talk(Passage& passage, const net::Lease& lease) {
  ClientConnection& connection = lease.connection();
  Upload& upload = passage.upload;
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
    if (head.status >= 200) {
      Status relayed = co_await relay(passage, connection, head);
      co_return over(std::move(relayed));
    }
    if (head.status == 101) {
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
  co_return over(fail(ErrorKind::kUpstream, "the upstream sent too many interim responses"));
}

void abort_connection(void* connection) { static_cast<ClientConnection*>(connection)->abort(); }

enum class Freshness : bool { kAny, kFresh };

// One lease and what is said on it. The body's coroutine uses the connection, so it ends before the lease does.
Task<Talk> attempt(Passage& passage, const UpstreamServer& server, Freshness freshness) {
  Exchange& exchange = passage.exchange;
  exchange.record.upstream = server.authority();
  if (exchange.request.authority.empty()) passage.head.authority = server.authority();
  Result<net::Lease> lease =
      co_await server.pool(exchange.loop()).lease(exchange.cancellation, freshness == Freshness::kFresh);
  if (exchange.cancellation.cancelled()) co_return over(cancelled(exchange));
  if (!lease) {
    const Error& error = lease.error();
    Talk unreached =
        over(fail(upstream_error(error, "no upstream could be reached in time", "no upstream could be reached")));
    if (error.kind != ErrorKind::kUpstream && error.kind != ErrorKind::kTimedOut) co_return unreached;
    server.mark_down(exchange.loop().now());
    unreached.next = Talk::Next::kOtherServer;
    co_return unreached;
  }
  server.mark_up();
  ClientConnection& connection = lease->connection();
  CancelHook hook(exchange.cancellation, &abort_connection, &connection);
  Talk outcome = co_await talk(passage, *lease);
  if (passage.upload.attached() && passage.upload.running()) {
    // The answer is complete, or there will be none: what is left of the body goes nowhere.
    connection.abort();
    co_await passage.upload.stop();
  }
  co_return outcome;
}

Task<Status> refuse_loop(Exchange& exchange) {
  Status answered =
      co_await respond_problem(exchange, {.status = 508,
                                          .error = "loop_detected",
                                          .detail = "this request goes round in circles: an upstream leads back here"});
  co_return answered;
}

}  // namespace

Task<Status> Proxy::serve(Exchange& exchange) const {
  if (passes_so_far(exchange.request.fields) > kPassesMax) {
    Status refused = co_await refuse_loop(exchange);
    co_return refused;
  }
  Passage passage(exchange);
  TriedServers tried;
  Talk outcome;
  Freshness freshness = Freshness::kAny;
  const UpstreamServer* server = balancer_.next(exchange.loop(), tried);
  while (server != nullptr) {
    outcome = co_await attempt(passage, *server, freshness);
    if (outcome.next == Talk::Next::kOver) break;
    if (outcome.next == Talk::Next::kFreshConnection) {
      freshness = Freshness::kFresh;
    } else {
      server = balancer_.next(exchange.loop(), tried);
      freshness = Freshness::kAny;
    }
  }
  if (passage.upload.running()) co_await passage.upload.stop();
  const Error* client_error = passage.upload.client_error();
  if (!outcome.status && client_error != nullptr && !exchange.cancellation.cancelled()) {
    Status refused = co_await refuse_client_body(exchange, *client_error);
    co_return refused;
  }
  co_return std::move(outcome.status);
}

}  // namespace sandgate::gateway
