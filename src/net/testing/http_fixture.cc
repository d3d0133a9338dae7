// SPDX-License-Identifier: Apache-2.0
#include "net/testing/http_fixture.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "exchange/problem.h"

namespace sandgate::net::testing {
namespace {

Task<Status> answer(Exchange& exchange, std::string_view text) {
  Status status = co_await respond(exchange, 200, "text/plain", text);
  co_return status;
}

Task<Status> hello(Exchange& exchange, Stage&) {
  Status status = co_await answer(exchange, "hello");
  co_return status;
}

Task<Status> method(Exchange& exchange, Stage&) {
  Status status = co_await answer(exchange, exchange.request.method);
  co_return status;
}

Task<Status> echo(Exchange& exchange, Stage&) {
  http::ResponseHead head(exchange.arena());
  bool started = false;
  for (;;) {
    Result<std::string_view> piece = co_await exchange.body().read();
    if (!piece) co_return fail(std::move(piece.error()));
    if (!started) {
      Status status = co_await exchange.sink().start(head, exchange.body().length());
      if (!status) co_return status;
      started = true;
    }
    if (piece->empty()) break;
    Status status = co_await exchange.sink().write(*piece);
    if (!status) co_return status;
  }
  Status status = co_await exchange.sink().finish(exchange.body().trailers());
  co_return status;
}

Task<Status> length(Exchange& exchange, Stage& stage) {
  std::uint64_t bytes = 0;
  for (;;) {
    Result<std::string_view> piece = co_await exchange.body().read();
    if (!piece) {
      stage.note(std::string(error_kind_name(piece.error().kind)));
      stage.left.raise();
      co_return fail(std::move(piece.error()));
    }
    if (piece->empty()) break;
    bytes += piece->size();
  }
  Status status = co_await answer(exchange, exchange.arena().copy(std::to_string(bytes)));
  co_return status;
}

Task<Status> one_piece(Exchange& exchange, Stage&) {
  Result<std::string_view> piece = co_await exchange.body().read();
  if (!piece) co_return fail(std::move(piece.error()));
  Status status = co_await answer(exchange, exchange.arena().copy(std::to_string(piece->size())));
  co_return status;
}

Task<Status> ignore(Exchange& exchange, Stage&) {
  Status status = co_await answer(exchange, "ignored");
  co_return status;
}

Task<Status> wait(Exchange& exchange, Stage& stage) {
  {
    Gate gate(stage, exchange);
    stage.entered.raise();
    co_await gate.opened().wait();
  }
  if (exchange.cancellation.cancelled()) {
    stage.note(std::string(error_kind_name(exchange.cancellation.kind())));
    stage.cancelled.raise();
    co_return fail(exchange.cancellation.kind(), std::string(exchange.cancellation.reason()));
  }
  Status status = co_await answer(exchange, "waited");
  stage.left.raise();
  co_return status;
}

Task<Status> stream(Exchange& exchange, Stage& stage) {
  http::ResponseHead head(exchange.arena());
  Status status = co_await exchange.sink().start(head, std::nullopt);
  if (!status) co_return status;
  if (exchange.request.query != "late") status = co_await exchange.sink().write("one");
  if (!status) co_return status;
  {
    Gate gate(stage, exchange);
    stage.entered.raise();
    co_await gate.opened().wait();
  }
  if (exchange.cancellation.cancelled()) {
    stage.cancelled.raise();
    exchange.sink().abort();
    co_return fail(exchange.cancellation.kind(), "cancelled");
  }
  if (exchange.request.query == "abort") {
    exchange.sink().abort();
    co_return fail(ErrorKind::kUpstream, "broken");
  }
  status = co_await exchange.sink().write("two");
  if (!status) co_return status;
  status = co_await exchange.sink().finish(nullptr);
  co_return status;
}

Task<Status> large(Exchange& exchange, Stage& stage) {
  Status status = co_await answer(exchange, stage.large);
  if (!status) stage.note(std::string(error_kind_name(status.error().kind)));
  stage.left.raise();
  co_return status;
}

Task<Status> failing(Exchange&, Stage&) { co_return fail(ErrorKind::kOverloaded, "no room"); }

Task<Status> nothing(Exchange&, Stage&) { co_return Status(); }

}  // namespace

Gate::Gate(Stage& stage, Exchange& exchange)
    : stage_(stage),
      loop_(exchange.loop()),
      hook_(exchange.cancellation, [](void* event) { static_cast<Event*>(event)->set(); }, &opened_) {
  if (exchange.cancellation.cancelled()) opened_.set();
  std::lock_guard lock(stage_.mutex);
  stage_.gates.push_back(this);
}

Gate::~Gate() {
  std::lock_guard lock(stage_.mutex);
  std::erase(stage_.gates, this);
}

void Stage::open_gates() {
  std::lock_guard lock(mutex);
  for (Gate* gate : gates) {
    gate->loop_.post([this, gate] {
      {
        // It may have ended since.
        std::lock_guard still(mutex);
        if (std::ranges::find(gates, gate) == gates.end()) return;
      }
      gate->opened_.set();
    });
  }
}

TableHandler::TableHandler(Stage& stage) : stage_(stage) {
  add("/hello", &hello);
  add("/method", &method);
  add("/echo", &echo);
  add("/length", &length);
  add("/one_piece", &one_piece);
  add("/ignore", &ignore);
  add("/wait", &wait);
  add("/stream", &stream);
  add("/large", &large);
  add("/fail", &failing);
  add("/nothing", &nothing);
}

Task<Status> TableHandler::serve(Exchange& exchange) const {
  auto found = table_.find(exchange.request.path);
  if (found == table_.end()) co_return fail(ErrorKind::kNotFound, "no such path");
  Status status = co_await found->second(exchange, stage_);
  co_return status;
}

TestServer::TestServer(const ServerOptions& options, unsigned loops) {
  std::vector<LoopThread*> threads;
  for (unsigned i = 0; i < loops; ++i) {
    loops_.push_back(std::make_unique<LoopThread>(i));
    threads.push_back(loops_.back().get());
  }
  server_ = HttpServer::create(std::move(threads), handler, options);
  Result<Address> bound = server_->listen(*parse_listen_address("127.0.0.1:0"));
  if (!bound) ADD_FAILURE() << bound.error().detail;
  if (bound) port_ = bound->port();
  for (auto& loop : loops_) loop->start({});
  server_->start();
}

TestServer::~TestServer() {
  server_->close_all();
  EXPECT_TRUE(wait_until_empty()) << server_->open_connections() << " connections did not end";
  for (auto& loop : loops_) loop->stop();
}

bool TestServer::wait_until_empty() {
  for (auto waited = std::chrono::milliseconds(0); waited < kPatience; waited += std::chrono::milliseconds(2)) {
    if (server_->open_connections() == 0) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return false;
}

std::string get_request(std::string_view path, std::string_view fields) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}

}  // namespace sandgate::net::testing
