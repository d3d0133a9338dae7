// SPDX-License-Identifier: Apache-2.0
#include "gateway/proxy.h"

#include <algorithm>
#include <string>
#include <utility>

#include "exchange/problem.h"
#include "gateway/client_body_error.h"
#include "gateway/passage.h"
#include "gateway/pause.h"
#include "gateway/proxy_fields.h"
#include "net/next_turn.h"

namespace sandgate::gateway {
namespace {

using net::ClientConnection;

Talk over(Status status) { return {Talk::Next::kOver, std::move(status)}; }

void abort_connection(void* connection) { static_cast<ClientConnection*>(connection)->abort(); }

enum class Freshness : bool { kAny, kFresh };

// Counts a request at its server for as long as it is there.
class Visit {
 public:
  explicit Visit(UpstreamServer::OnLoop& place) : place_(place) { place_.started.add(); }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;
  ~Visit() { place_.ended.add(); }

 private:
  UpstreamServer::OnLoop& place_;
};

// No connection was made.
Talk unreached(const Passage& passage, const Error& error) {
  Talk talk = over(fail(upstream_error(error, "no upstream could be reached in time", "no upstream could be reached")));
  if (error.kind == ErrorKind::kOverloaded && !passage.server->has_room(passage.exchange.loop())) {
    // Another loop took the place between our choice and now.
    talk.next = Talk::Next::kNoRoom;
  } else if (error.kind == ErrorKind::kUpstream || error.kind == ErrorKind::kTimedOut) {
    passage.failed(ServerHealth::Failure::kUnreached);
    talk.next = Talk::Next::kOtherServer;
  }
  return talk;
}

// One lease and what is said on it. The body's coroutine uses the connection, so it ends before the lease does.
Task<Talk> attempt(Passage& passage, UpstreamServer& server, Freshness freshness) {
  Exchange& exchange = passage.exchange;
  // The record is read after a reload may have taken the server away.
  exchange.record.upstream = exchange.arena().copy(server.authority());
  if (exchange.request.authority.empty()) passage.head.authority = server.authority();
  passage.server = &server;
  passage.era = server.health().era();
  UpstreamServer::OnLoop& place = server.on(exchange.loop());
  Visit visit(place);
  Stopwatch watch(exchange);
  Result<net::Lease> lease = co_await place.pool->lease(passage.over, freshness == Freshness::kFresh);
  exchange.record.upstream_times = {};
  if (passage.over.cancelled()) co_return over(passage.cancelled());
  if (!lease) co_return unreached(passage, lease.error());
  exchange.record.upstream_times.connect = watch.read();
  ClientConnection& connection = lease->connection();
  CancelHook hook(passage.over, &abort_connection, &connection);
  Talk outcome = co_await talk(passage, *lease);
  if (passage.upload.attached() && passage.upload.running()) {
    // The answer is complete, or there will be none: what is left of the body goes nowhere.
    connection.abort();
    co_await passage.upload.stop();
  }
  co_return outcome;
}

// Between two looks at servers of which none is for this request.
constexpr Milliseconds kLookAgain{5};

// The server to go to; null, and why, when there is none.
struct Destination {
  UpstreamServer* server = nullptr;
  Status status;
};

Destination nowhere(std::string detail) { return {nullptr, fail(ErrorKind::kOverloaded, std::move(detail))}; }

// Waits while all servers have all the connections they may have.
Task<Destination> find_server(Upstream& upstream, Passage& passage, TriedServers& tried) {
  Loop& loop = passage.exchange.loop();
  Choice choice = upstream.choose(passage.exchange, tried);
  if (!choice.full) {
    if (choice.server == nullptr) co_return nowhere("no server of the upstream takes requests");
    co_return Destination{choice.server, {}};
  }
  Nanoseconds deadline = loop.now() + upstream.options().connections.waiting;
  WaitingRoom::Place place = WaitingRoom::Place::kBack;
  while (choice.full) {
    WaitingRoom::Outcome outcome = co_await upstream.waiting_room().wait(loop, passage.over, deadline, place);
    if (outcome == WaitingRoom::Outcome::kCancelled) co_return Destination{nullptr, passage.cancelled()};
    if (outcome == WaitingRoom::Outcome::kFull) co_return nowhere("too many requests wait for the upstream");
    if (outcome == WaitingRoom::Outcome::kTimedOut) co_return nowhere("the upstream was busy for too long");
    place = WaitingRoom::Place::kFront;
    choice = upstream.choose(passage.exchange, tried);
    // The room was at a server that was tried already, perhaps: there would be nothing to wait for. Others have a turn
    // before this one looks again.
    if (choice.full) co_await pause_for(loop, passage.over, kLookAgain);
  }
  if (choice.server == nullptr) co_return nowhere("no server of the upstream takes requests");
  co_return Destination{choice.server, {}};
}

// Full jitter: a random time between nothing and a bound that doubles. The first retry goes out at once, because its
// server did nothing wrong.
Milliseconds backoff(Upstream& upstream, const Loop& loop, unsigned attempts) {
  const RetryOptions& retries = upstream.options().retries;
  if (attempts < 2) return Milliseconds(0);
  unsigned doublings = std::min(attempts - 2, 20U);
  Milliseconds bound = std::min(retries.backoff_base * (1 << doublings), retries.backoff_max);
  return Milliseconds(upstream.random(loop).below(static_cast<std::uint64_t>(bound.count()) + 1));
}

// Goes to one server after the other until there is an answer, or nothing more to try. The last failure is what the
// client hears.
Task<Talk> forward(Upstream& upstream, Passage& passage) {
  Loop& loop = passage.exchange.loop();
  TriedServers tried;
  Talk outcome;
  unsigned attempts = 0;
  for (;;) {
    Destination destination = co_await find_server(upstream, passage, tried);
    if (destination.server == nullptr) {
      if (attempts == 0 || passage.over.cancelled()) outcome = over(std::move(destination.status));
      co_return outcome;
    }
    UpstreamServer& server = *destination.server;
    if (attempts > 0) {
      if (!upstream.retry_budget(loop).take(loop.now())) co_return outcome;
      Milliseconds wait = backoff(upstream, loop, attempts);
      if (wait.count() > 0) co_await pause_for(loop, passage.over, wait);
      if (passage.over.cancelled()) co_return over(passage.cancelled());
      server.on(loop).retries.add();
    }
    outcome = co_await attempt(passage, server, Freshness::kAny);
    if (outcome.next == Talk::Next::kFreshConnection) {
      outcome = co_await attempt(passage, server, Freshness::kFresh);
    }
    if (outcome.next == Talk::Next::kNoRoom) {
      tried.remove(server.index());
      continue;
    }
    if (outcome.next != Talk::Next::kOtherServer || ++attempts >= upstream.options().retries.attempts) {
      co_return outcome;
    }
  }
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
  Upstream& upstream = *upstream_;
  upstream.retry_budget(exchange.loop()).request();
  Passage passage(exchange, upstream.options().timeouts.total);
  Talk outcome = co_await forward(upstream, passage);
  if (passage.upload.running()) co_await passage.upload.stop();
  // Whoever cancelled may still be inside cancel(), which looks at the passage once more.
  if (passage.whole_time && passage.over.cancelled()) co_await net::NextTurn{exchange.loop()};
  const Error* client_error = passage.upload.client_error();
  if (!outcome.status && client_error != nullptr && !passage.over.cancelled()) {
    Status refused = co_await refuse_client_body(exchange, *client_error);
    co_return refused;
  }
  co_return std::move(outcome.status);
}

}  // namespace sandgate::gateway
