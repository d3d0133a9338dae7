// SPDX-License-Identifier: Apache-2.0
#include "gateway/response_hooks.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "abi/router_middleware/actions.h"
#include "base/ascii.h"
#include "exchange/problem.h"
#include "gateway/content_length.h"
#include "gateway/guest_instances.h"

namespace sandgate::gateway {
namespace {

using http::Field;
using http::FieldId;
using modules::OnFailure;
using sandbox::FailureKind;

// Room taken ahead for a body of known length; more only when it comes.
constexpr std::uint64_t kReservedBytesMax = 256 * 1024;

// Whether the body is a stream of events without an end in sight.
bool is_event_stream(const http::Fields& fields) {
  std::string_view type = fields.find(FieldId::kContentType).value_or("");
  type = trimmed(type.substr(0, type.find(';')));
  return equals_ignoring_case(type, "text/event-stream") || equals_ignoring_case(type, "application/x-ndjson");
}

Task<Status> nothing_yet() { co_return Status(); }

}  // namespace

ResponseHooks::ResponseHooks(const HookContext& context, const Modules& modules)
    : exchange_(context.exchange),
      inner_(context.inner),
      calls_(context.calls),
      store_(context.store),
      settings_(context.settings),
      instances_(context.instances),
      point_(context.point),
      modules_(modules),
      head_(context.exchange.arena()) {}

Status ResponseHooks::cancelled() const {
  return sandgate::fail(exchange_.cancellation.kind(), std::string(exchange_.cancellation.reason()));
}

bool ResponseHooks::bodyless() const { return exchange_.request.is_head() || http::status_forbids_body(head_.status); }

// The head's text may go when start() returns.
void ResponseHooks::keep(const http::ResponseHead& head, std::optional<std::uint64_t> length) {
  Arena& arena = exchange_.arena();
  head_.status = head.status;
  head_.minor_version = head.minor_version;
  head_.fields.reserve(head.fields.size() + 1);
  for (const Field& field : head.fields) head_.fields.add({arena.copy(field.name), arena.copy(field.value), field.id});
  length_ = length;
}

ResponseHooks::Verdict ResponseHooks::answer_instead(int status, std::string_view error, std::string_view detail) {
  head_.status = status;
  // Nothing of what was refused may reach the client: neither its body nor its cookies.
  head_.fields.clear();
  head_.fields.add({"x-request-id", exchange_.id, FieldId::kXRequestId});
  head_.fields.add({"content-type", "application/problem+json", FieldId::kContentType});
  head_.fields.add({"cache-control", "no-store", FieldId::kOther});
  instead_ = problem_json({.status = status, .error = error, .detail = detail}, exchange_.id);
  if (exchange_.record.error.empty()) exchange_.record.error = error;
  return Verdict::kAnswerInstead;
}

ResponseHooks::Verdict ResponseHooks::apply(const Action& action, bool shows_body, const ModuleCall& call) {
  if (action.kind == Action::Kind::kReject) {
    return answer_instead(action.status.value_or(502), "rejected", "a module rejected this response");
  }
  if (action.kind != Action::Kind::kModify) return Verdict::kPass;
  abi::router_middleware::apply_to_response(action, head_, [&call](std::string_view name) { call.log_ignored(name); });
  head_.fields.set("x-request-id", exchange_.id);
  if (action.status) head_.status = *action.status;
  if (action.body && !shows_body) {
    call.log_ignored("a body that it is not given");
  } else if (action.body) {
    body_ = *action.body;
    body_replaced_ = true;
    update_content_length(head_.fields, body_.size());
  }
  return Verdict::kPass;
}

// After the failure was counted.
ResponseHooks::Verdict ResponseHooks::fail_module(ModuleCall& call) {
  if (call.on_failure() == OnFailure::kOpen) return Verdict::kPass;
  return answer_instead(503, "guest_fault", "a required module failed");
}

Task<ResponseHooks::Verdict> ResponseHooks::run_module(const modules::DeployedModule& module, Shown shown) {
  HookCall hook{module, point_, exchange_, instances_};
  ModuleCall call(store_, hook);
  if (shown == Shown::kTooLarge && module.options.body) {
    call.fail(
        {FailureKind::kTooLarge, fmt::format("the response body is larger than {} bytes", settings_.body_bytes_max)});
    co_return fail_module(call);
  }
  bool shows_body = shown == Shown::kWhole && module.options.body;
  abi::router_middleware::ResponseRecord record{.head = head_, .body = shows_body ? body_ : std::string_view()};
  MiddlewareCalls::Outcome outcome = co_await calls_.on_response(hook, record);
  call.finish(outcome);
  if (outcome) co_return apply(*outcome, shows_body, call);
  if (outcome.error().kind == FailureKind::kCancelled) co_return Verdict::kCancelled;
  co_return fail_module(call);
}

Task<ResponseHooks::Verdict> ResponseHooks::run_modules(Shown shown) {
  for (const auto& module : modules_) {
    Verdict verdict = co_await run_module(*module, shown);
    if (verdict != Verdict::kPass) co_return verdict;
  }
  co_return Verdict::kPass;
}

Task<Status> ResponseHooks::send_instead() {
  Status status = co_await inner_.start(head_, instead_.size());
  if (!status) co_return status;
  if (!bodyless()) {
    status = co_await inner_.write(instead_);
    if (!status) co_return status;
  }
  status = co_await inner_.finish(nullptr);
  co_return status;
}

// Modules see the head; the body passes by them, or nothing does. What was collected until now goes first.
Task<Status> ResponseHooks::start_stream(Shown shown) {
  Verdict verdict = co_await run_modules(shown);
  if (verdict == Verdict::kCancelled) co_return cancelled();
  if (verdict == Verdict::kAnswerInstead) {
    state_ = State::kReplaced;
    Status sent = co_await send_instead();
    if (!sent) co_return sent;
    co_return sandgate::fail(ErrorKind::kDenied, "a module answered in the place of this response");
  }
  state_ = State::kPassing;
  Status status = co_await inner_.start(head_, length_);
  if (!status || collected_.empty()) co_return status;
  status = co_await inner_.write(collected_);
  collected_ = {};
  co_return status;
}

bool ResponseHooks::any_wants_body() const {
  return std::ranges::any_of(modules_, [](const auto& module) { return module->options.body; });
}

Task<Status> ResponseHooks::start(const http::ResponseHead& head, std::optional<std::uint64_t> length) {
  keep(head, length);
  if (!bodyless() && (is_event_stream(head_.fields) || !any_wants_body())) return start_stream(Shown::kHeadOnly);
  if (!bodyless() && length.value_or(0) > settings_.body_bytes_max) return start_stream(Shown::kTooLarge);
  state_ = State::kCollecting;
  if (!bodyless() && length) collected_.reserve(std::min(*length, kReservedBytesMax));
  return nothing_yet();
}

Task<Status> ResponseHooks::write(std::string_view bytes) {
  if (state_ == State::kCollecting) {
    if (bodyless()) co_return Status();
    if (bytes.size() <= settings_.body_bytes_max - collected_.size()) {
      collected_.append(bytes);
      co_return Status();
    }
    Status started = co_await start_stream(Shown::kTooLarge);
    if (!started) co_return started;
  }
  if (state_ != State::kPassing) co_return sandgate::fail(ErrorKind::kDisconnected, "the response was given up");
  Status written = co_await inner_.write(bytes);
  co_return written;
}

std::optional<std::uint64_t> ResponseHooks::length_to_send(const http::Fields* trailers) const {
  if (http::status_forbids_body(head_.status)) {
    return body_replaced_ || head_.status == 204 ? std::nullopt : length_;
  }
  // As GET would have it: a new body counts, though it is not sent.
  if (exchange_.request.is_head()) return body_replaced_ ? body_.size() : length_;
  // Only a body of unknown length can have trailers.
  if (trailers != nullptr && !trailers->empty()) return std::nullopt;
  return body_.size();
}

Task<Status> ResponseHooks::send_collected(const http::Fields* trailers) {
  if (body_replaced_) trailers = nullptr;
  std::optional<std::uint64_t> length = length_to_send(trailers);
  Status status = co_await inner_.start(head_, length);
  if (!status) co_return status;
  if (!bodyless() && !body_.empty()) {
    status = co_await inner_.write(body_);
    if (!status) co_return status;
  }
  status = co_await inner_.finish(trailers);
  co_return status;
}

Task<Status> ResponseHooks::finish(const http::Fields* trailers) {
  if (state_ == State::kPassing) {
    Status finished = co_await inner_.finish(trailers);
    co_return finished;
  }
  if (state_ != State::kCollecting) co_return sandgate::fail(ErrorKind::kDisconnected, "the response was given up");
  body_ = collected_;
  Verdict verdict = co_await run_modules(Shown::kWhole);
  if (verdict == Verdict::kCancelled) co_return cancelled();
  if (verdict == Verdict::kAnswerInstead) {
    Status sent = co_await send_instead();
    co_return sent;
  }
  Status sent = co_await send_collected(trailers);
  co_return sent;
}

void ResponseHooks::abort() {
  if (state_ == State::kReplaced) return;
  if (inner_.committed()) inner_.abort();
  state_ = State::kAborted;
}

}  // namespace sandgate::gateway
