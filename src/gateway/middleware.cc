// SPDX-License-Identifier: Apache-2.0
#include "gateway/middleware.h"

#include <string>
#include <utility>

#include "abi/router_middleware/actions.h"
#include "exchange/problem.h"
#include "gateway/client_body_error.h"
#include "gateway/content_length.h"
#include "gateway/module_call.h"
#include "gateway/response_hooks.h"
#include "gateway/whole_body.h"

namespace sandgate::gateway {
namespace {

using abi::router_middleware::Action;
using sandbox::FailureKind;

constexpr int kRetryAfterSeconds = 1;

void modify_request(const Action& action, http::RequestHead& head, std::string_view& body, const ModuleCall& call) {
  abi::router_middleware::apply_to_request(action, head, [&call](std::string_view name) { call.log_ignored(name); });
  if (!action.body) return;
  body = *action.body;
  update_content_length(head.fields, body.size());
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

}  // namespace

// Nothing when the module is skipped, else how the exchange ended.
Task<std::optional<Status>> Middleware::answer_failure(Exchange& exchange, const sandbox::GuestFailure& failure) const {
  if (failure.kind == FailureKind::kCancelled) {
    co_return Status(fail(exchange.cancellation.kind(), std::string(exchange.cancellation.reason())));
  }
  if (settings_.on_request_failure == OnFailure::kOpen) co_return std::nullopt;
  Problem problem{.status = 503, .error = "guest_fault", .detail = "a required module failed"};
  if (failure.kind == FailureKind::kCapacity) {
    problem = {.status = 503,
               .error = "overloaded",
               .detail = "no instance of a required module is free",
               .retry_after_s = kRetryAfterSeconds};
  }
  Status answered = co_await respond_problem(exchange, problem);
  co_return answered;
}

// `body` is what the request has, and what it has when this ends. Nothing when the request goes on, else how the
// exchange ended.
Task<std::optional<Status>> Middleware::run_request_hooks(Exchange& exchange, const modules::Snapshot& snapshot,
                                                          std::string_view& body) const {
  for (const auto& module : snapshot.on_request) {
    ModuleCall call(store_, *module, exchange, modules::AttachPoint::kOnRequest);
    abi::router_middleware::RequestRecord record{
        .head = exchange.request,
        .body = body,
        .request_id = exchange.id,
        .now_epoch_ms = static_cast<std::uint64_t>(call.unix_ns() / 1'000'000)};
    MiddlewareCalls::Outcome outcome = co_await calls_.on_request(*module, exchange, record);
    call.finish(outcome);
    if (!outcome) {
      std::optional<Status> ended = co_await answer_failure(exchange, outcome.error());
      if (ended) co_return ended;
      continue;
    }
    if (outcome->kind == Action::Kind::kReject) {
      Status rejected = co_await reject(exchange, outcome->status.value_or(400));
      co_return rejected;
    }
    if (outcome->kind == Action::Kind::kModify) modify_request(*outcome, exchange.request, body, call);
  }
  co_return std::nullopt;
}

Task<Status> Middleware::run_next(Exchange& exchange, const modules::Snapshot& snapshot) const {
  if (snapshot.on_response.empty()) {
    Status status = co_await next_.serve(exchange);
    co_return status;
  }
  ResponseSink& sink = exchange.sink();
  ResponseHooks hooks(exchange, sink, calls_, store_, snapshot.on_response, settings_);
  exchange.set_sink(hooks);
  Status status = co_await next_.serve(exchange);
  exchange.set_sink(sink);
  // A hook that answered in the place of a streamed response ended the next handler early, on purpose.
  if (hooks.replaced_stream()) co_return Status();
  co_return status;
}

Task<Status> Middleware::serve(Exchange& exchange, std::shared_ptr<const modules::Snapshot> snapshot) const {
  if (snapshot->on_request.empty()) {
    Status status = co_await run_next(exchange, *snapshot);
    co_return status;
  }
  if (!abi::router_middleware::is_presentable(exchange.request)) {
    Status refused = co_await refuse_unpresentable(exchange);
    co_return refused;
  }
  std::string received;
  Status read = co_await read_whole_body(exchange.body(), settings_.body_bytes_max, received);
  if (!read) {
    Status refused = co_await refuse_client_body(exchange, read.error());
    co_return refused;
  }
  std::string_view body = received;
  std::optional<Status> ended = co_await run_request_hooks(exchange, *snapshot, body);
  if (ended) co_return *std::move(ended);
  BodySource& source = exchange.body();
  BufferedBody buffered(body);
  exchange.set_body(buffered);
  Status status = co_await run_next(exchange, *snapshot);
  exchange.set_body(source);
  co_return status;
}

}  // namespace sandgate::gateway
