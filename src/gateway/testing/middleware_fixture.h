// SPDX-License-Identifier: Apache-2.0
//
// Modules that follow a script around a handler that follows another, for the middleware's tests.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gateway/chain.h"
#include "gateway/middleware.h"
#include "gateway/testing/running.h"
#include "gateway/testing/scripted_calls.h"
#include "tests/support/fake_exchange.h"

namespace sandgate::gateway::testing {

// The handler that modules surround: keeps what it is given and answers.
class SurroundedHandler final : public Handler {
 public:
  Task<Status> serve(Exchange& exchange) const override {
    ++served;
    authority = exchange.request.authority;
    fields.clear();
    for (const http::Field& field : exchange.request.fields)
      fields += std::string(field.name) + ": " + std::string(field.value) + "\n";
    body.clear();
    length = exchange.body().length();
    while (true) {
      Result<std::string_view> piece = co_await exchange.body().read();
      if (!piece) co_return fail(std::move(piece.error()));
      if (piece->empty()) break;
      body += *piece;
    }
    trailers_seen = exchange.body().trailers();
    if (error) co_return fail(*error);
    http::ResponseHead head(exchange.arena());
    head.status = status;
    head.fields.add("x-request-id", exchange.id);
    for (const auto& [name, value] : answer_fields) head.fields.add(name, value);
    Status done = co_await exchange.sink().start(head, announced);
    if (!done) co_return done;
    for (const std::string& piece : pieces) {
      done = co_await exchange.sink().write(piece);
      if (!done) {
        stopped_early = true;
        co_return done;
      }
    }
    if (breaks) {
      exchange.sink().abort();
      co_return fail(ErrorKind::kUpstream, "broke off");
    }
    done = co_await exchange.sink().finish(trailers);
    co_return done;
  }

  int status = 200;
  std::vector<std::pair<std::string, std::string>> answer_fields{{"content-type", "text/plain"}};
  std::optional<std::uint64_t> announced;
  std::vector<std::string> pieces{"upstream says ", "hello"};
  const http::Fields* trailers = nullptr;
  std::optional<Error> error;
  bool breaks = false;

  mutable int served = 0;
  mutable std::string authority;
  mutable std::string fields;
  mutable std::string body;
  mutable std::optional<std::uint64_t> length;
  mutable bool stopped_early = false;
  mutable const http::Fields* trailers_seen = nullptr;
};

// Calls of a module's hooks that ran to an end, and those that failed.
inline std::uint64_t successes(const modules::DeployedModule& module) {
  std::uint64_t sum = 0;
  for (const modules::HookStats& hook : module.counters->hooks) {
    for (const auto& count : hook.decisions) sum += count.load();
  }
  return sum;
}
inline std::uint64_t failures(const modules::DeployedModule& module) {
  std::uint64_t sum = 0;
  for (const modules::HookStats& hook : module.counters->hooks) {
    for (std::size_t kind = 0; kind < hook.failures.size(); ++kind) {
      auto failure = static_cast<sandbox::FailureKind>(kind);
      bool ran = failure != sandbox::FailureKind::kCapacity && failure != sandbox::FailureKind::kCancelled;
      if (ran) sum += hook.failures[kind].load();
    }
  }
  return sum;
}

class MiddlewareFixture : public ::testing::Test {
 protected:
  void request_module(std::string name, modules::ModuleOptions options = {}) {
    deployed.push_back(deploy(store, std::move(name), {modules::AttachPoint::kOnRequest}, std::move(options)));
  }
  void response_module(std::string name, modules::ModuleOptions options = {}) {
    deployed.push_back(deploy(store, std::move(name), {modules::AttachPoint::kOnResponse}, std::move(options)));
  }
  void error_module(std::string name, modules::ModuleOptions options = {}) {
    deployed.push_back(deploy(store, std::move(name), {modules::AttachPoint::kOnError}, std::move(options)));
  }
  void start() {
    middleware = std::make_unique<Middleware>(calls, store, settings, inner);
    chain = std::make_unique<Chain>(store, Chain::Deployed::kRun, Chain::Uses(), *middleware, inner, 1);
    start_serving(*chain, fake.exchange, running);
  }
  void serve() {
    start();
    ASSERT_TRUE(running.ended());
  }
  std::string outcome() const {
    if (!running.ended()) return "running";
    if (*running.status) return "ok";
    return std::string(error_kind_name(running.status->error().kind)) + ": " + running.status->error().detail;
  }
  const test::SentResponse& sent() const { return fake.sent(); }

  modules::ModuleStore store;
  std::vector<std::shared_ptr<const modules::DeployedModule>> deployed;
  ScriptedCalls calls;
  MiddlewareSettings settings;
  SurroundedHandler inner;
  test::FakeExchange fake{"POST", "/v1/chat"};
  std::unique_ptr<Middleware> middleware;
  std::unique_ptr<Chain> chain;
  Running running;
};

}  // namespace sandgate::gateway::testing
