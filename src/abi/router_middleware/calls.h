// SPDX-License-Identifier: Apache-2.0
//
// Calls of the router worlds (sgl:router, sgl:model-gateway, smg:gateway: one shape, three names): on-request and
// on-response. Text is checked and borrowed, nothing is copied on the way in. See docs/middleware.md.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string_view>

#include "base/arena.h"
#include "base/cancellation.h"
#include "base/task.h"
#include "http/message.h"
#include "sandbox/instance.h"
#include "sandbox/run_queue.h"

namespace sandgate::abi::router_middleware {

struct HeaderEdit {
  std::string_view name;
  std::string_view value;
};

// What a guest decided. Everything is copied into the arena given to the call, so it outlives the instance; the body is
// copied too.
struct Action {
  enum class Kind : unsigned char { kContinue, kReject, kModify };
  Kind kind = Kind::kContinue;
  std::optional<int> status;  // kReject: always
  std::span<const HeaderEdit> set;
  std::span<const HeaderEdit> add;
  std::span<const std::string_view> remove;
  std::optional<std::string_view> body;
};

struct RequestRecord {
  const http::RequestHead& head;
  std::string_view body;
  std::string_view request_id;
  std::uint64_t now_epoch_ms = 0;
};

struct ResponseRecord {
  const http::ResponseHead& head;
  std::string_view body;
};

// Whether path, query and fields of a request are UTF-8, as the world needs them; when not, the request gets 400
// (architecture section 6).
bool is_presentable(const http::RequestHead& head);

using Outcome = std::expected<Action, sandbox::GuestFailure>;

// Runs the guest's on-request. The record and `arena` must live until the Task ends. Failures: every FailureKind;
// kInvalidEdit when the action is no valid HTTP (see actions.h for what is checked).
Task<Outcome> on_request(sandbox::RunQueue& queue, sandbox::Instance& instance, const RequestRecord& record,
                         Arena& arena, Cancellation& cancellation);
// Field values that are no UTF-8 are shown to the guest as Latin-1.
Task<Outcome> on_response(sandbox::RunQueue& queue, sandbox::Instance& instance, const ResponseRecord& record,
                          Arena& arena, Cancellation& cancellation);

}  // namespace sandgate::abi::router_middleware
