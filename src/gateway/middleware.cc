// SPDX-License-Identifier: Apache-2.0
#include "gateway/middleware.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "abi/router_middleware/actions.h"
#include "exchange/problem.h"
#include "gateway/client_body_error.h"
#include "gateway/content_length.h"
#include "gateway/error_log.h"
#include "gateway/guest_instances.h"
#include "gateway/module_call.h"
#include "gateway/response_hooks.h"
#include "gateway/whole_body.h"

namespace sandgate::gateway {
namespace {

using abi::router_middleware::Action;
using modules::AttachPoint;
using modules::OnFailure;
using sandbox::FailureKind;

constexpr int kRetryAfterSeconds = 1;

// `body` is null when nobody has read it: then it cannot be replaced either.
void modify_request(const Action& action, http::RequestHead& head, std::string_view* body, const ModuleCall& call) {
  abi::router_middleware::apply_to_request(action, head, [&call](std::string_view name) { call.log_ignored(name); });
  if (!action.body) return;
  if (body == nullptr) return call.log_ignored("the body, which it is not given");
  *body = *action.body;
  update_content_length(head.fields, body->size());
}

bool any_wants_body(const std::vector<std::shared_ptr<const modules::DeployedModule>>& modules) {
  return std::ranges::any_of(modules, [](const auto& module) { return module->options.body; });
}

// Whether `error` means that no upstream gave an answer: what OnError is for.
bool upstream_failed(const Error& error) {
  return error.kind == ErrorKind::kUpstream || error.kind == ErrorKind::kTimedOut ||
         error.kind == ErrorKind::kOverloaded;
}

Task<Status> refuse_unpresentable(Exchange& exchange) {
  Status answered = co_await respond_problem(
      exchange, {.status = 400,
                 .error = "invalid",
                 .detail = "the path, query and fields of this request must be UTF-8: modules see them as text"});
  co_return answered;
}

Task<Status> reject(Exchange& exchange, int status) {
  Status answered = co_await respond_problem(
      exchange, {.status = status, .error = "rejected", .detail = "a module rejected this request"});
  co_return answered;
}

// The request ends because a module failed.
Task<Status> answer_failure(Exchange& exchange, FailureKind kind) {
  if (kind == FailureKind::kCancelled)
    co_return fail(exchange.cancellation.kind(), std::string(exchange.cancellation.reason()));
  Problem problem{.status = 503, .error = "guest_fault", .detail = "a required module failed"};
  if (kind == FailureKind::kCapacity) {
    problem = {.status = 503,
               .error = "overloaded",
               .detail = "no instance of a required module is free",
               .retry_after_s = kRetryAfterSeconds};
  }
  Status answered = co_await respond_problem(exchange, problem);
  co_return answered;
}

}  // namespace

// `body` is what the request has, and what it has when this ends; null when it was not read. Nothing when the request
// goes on, else how the exchange ended.
Task<std::optional<Status>> Middleware::run_request_hooks(Exchange& exchange, const modules::Snapshot& snapshot,
                                                          ExchangeInstances& instances, std::string_view* body) const {
  for (const auto& module : snapshot.on_request) {
    HookCall hook{*module, AttachPoint::kOnRequest, exchange, instances};
    ModuleCall call(store_, hook);
    abi::router_middleware::RequestRecord record{
        .head = exchange.request,
        .body = module->options.body && body != nullptr ? *body : std::string_view(),
        .request_id = exchange.id,
        .now_epoch_ms = static_cast<std::uint64_t>(call.unix_ns() / 1'000'000)};
    MiddlewareCalls::Outcome outcome = co_await calls_.on_request(hook, record);
    call.finish(outcome);
    if (!outcome) {
      FailureKind kind = outcome.error().kind;
      if (kind != FailureKind::kCancelled && call.on_failure() == OnFailure::kOpen) continue;
      Status answered = co_await answer_failure(exchange, kind);
      co_return answered;
    }
    if (outcome->kind == Action::Kind::kReject) {
      Status rejected = co_await reject(exchange, outcome->status.value_or(400));
      co_return rejected;
    }
    if (outcome->kind == Action::Kind::kModify) {
      modify_request(*outcome, exchange.request, module->options.body ? body : nullptr, call);
    }
  }
  co_return std::nullopt;
}

Task<Status> Middleware::run_inner(Exchange& exchange, const modules::Snapshot& snapshot,
                                   ExchangeInstances& instances) const {
  if (snapshot.on_response.empty()) {
    Status status = co_await next_.serve(exchange);
    co_return status;
  }
  ResponseSink& sink = exchange.sink();
  ResponseHooks hooks({exchange, sink, calls_, store_, settings_, instances, AttachPoint::kOnResponse},
                      snapshot.on_response);
  exchange.set_sink(hooks);
  Status status = co_await next_.serve(exchange);
  exchange.set_sink(sink);
  // A hook that answered in the place of a streamed response ended the next handler early, on purpose.
  if (hooks.replaced_stream()) co_return Status();
  co_return status;
}

// The gateway's own answer to `error`, as the OnError modules leave it.
Task<Status> Middleware::run_error_hooks(Exchange& exchange, const modules::Snapshot& snapshot,
                                         ExchangeInstances& instances, Error error) const {
  if (exchange.record.error.empty()) exchange.record.error = exchange.arena().copy(error.detail);
  log_exchange_error(exchange, error);
  ResponseSink& sink = exchange.sink();
  ResponseHooks hooks({exchange, sink, calls_, store_, settings_, instances, AttachPoint::kOnError}, snapshot.on_error);
  exchange.set_sink(hooks);
  Status status = co_await respond_error(exchange, error);
  exchange.set_sink(sink);
  co_return status;
}

Task<Status> Middleware::run_next(Exchange& exchange, const modules::Snapshot& snapshot,
                                  ExchangeInstances& instances) const {
  if (snapshot.on_error.empty()) return run_inner(exchange, snapshot, instances);
  return with_error_hooks(exchange, snapshot, instances);
}

Task<Status> Middleware::with_error_hooks(Exchange& exchange, const modules::Snapshot& snapshot,
                                          ExchangeInstances& instances) const {
  Status status = co_await run_inner(exchange, snapshot, instances);
  if (status || exchange.sink().committed() || exchange.cancellation.cancelled()) co_return status;
  if (!upstream_failed(status.error())) co_return status;
  status = co_await run_error_hooks(exchange, snapshot, instances, std::move(status.error()));
  co_return status;
}

// The whole body is read before the first module runs, and handed on from memory.
Task<Status> Middleware::with_body(Exchange& exchange, const modules::Snapshot& snapshot,
                                   ExchangeInstances& instances) const {
  std::string received;
  Status read = co_await read_whole_body(exchange.body(), settings_.body_bytes_max, received);
  if (!read) {
    Status refused = co_await refuse_client_body(exchange, read.error());
    co_return refused;
  }
  std::string_view body = received;
  std::optional<Status> ended = co_await run_request_hooks(exchange, snapshot, instances, &body);
  if (ended) co_return *std::move(ended);
  BodySource& source = exchange.body();
  // A new body is no longer what the trailers speak of.
  BufferedBody buffered(body, body.data() == received.data() ? source.trailers() : nullptr);
  exchange.set_body(buffered);
  Status status = co_await run_next(exchange, snapshot, instances);
  exchange.set_body(source);
  co_return status;
}

Task<Status> Middleware::serve(Exchange& exchange, std::shared_ptr<const modules::Snapshot> snapshot) const {
  ExchangeInstances instances;
  if (!snapshot->on_request.empty()) {
    if (!abi::router_middleware::is_presentable(exchange.request)) {
      Status refused = co_await refuse_unpresentable(exchange);
      co_return refused;
    }
    if (any_wants_body(snapshot->on_request)) {
      Status status = co_await with_body(exchange, *snapshot, instances);
      co_return status;
    }
    std::optional<Status> ended = co_await run_request_hooks(exchange, *snapshot, instances, nullptr);
    if (ended) co_return *std::move(ended);
  }
  Status status = co_await run_next(exchange, *snapshot, instances);
  co_return status;
}

}  // namespace sandgate::gateway
