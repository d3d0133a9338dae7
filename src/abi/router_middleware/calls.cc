// SPDX-License-Identifier: Apache-2.0
#include "abi/router_middleware/calls.h"

#include <algorithm>
#include <utility>

#include "abi/router_middleware/records.h"
#include "abi/router_middleware/utf8.h"
#include "sandbox/engine_error.h"
#include "sandgate_engine.h"

namespace sandgate::abi::router_middleware {
namespace {

// The call has been started in the instance; `error` is why not.
Task<Outcome> run_to_action(sandbox::RunQueue& queue, sandbox::Instance& instance, sg_error* error, Arena& arena,
                            Cancellation& cancellation) {
  if (error != nullptr) co_return std::unexpected(sandbox::take_failure(error));
  std::expected<void, sandbox::GuestFailure> ended = co_await queue.run(instance, cancellation);
  if (!ended) co_return std::unexpected(std::move(ended.error()));
  const sg_action* action = ::sg_instance_action(instance.handle());
  if (action == nullptr)
    co_return std::unexpected(sandbox::GuestFailure{sandbox::FailureKind::kInternal, "the engine has no action"});
  co_return lift_action(*action, arena);
}

}  // namespace

bool is_presentable(const http::RequestHead& head) {
  return is_utf8(head.path) && is_utf8(head.query) &&
         std::ranges::all_of(head.fields, [](const http::Field& field) { return is_utf8(field.value); });
}

// The engine reads the record during the first poll and later: it lives in this frame.
Task<Outcome> on_request(sandbox::RunQueue& queue, sandbox::Instance& instance, const RequestRecord& record,
                         Arena& arena, Cancellation& cancellation) {
  sg_request request = lower_request(record, arena);
  sg_error* error = ::sg_instance_start_on_request(instance.handle(), &request);
  Outcome outcome = co_await run_to_action(queue, instance, error, arena, cancellation);
  co_return outcome;
}

Task<Outcome> on_response(sandbox::RunQueue& queue, sandbox::Instance& instance, const ResponseRecord& record,
                          Arena& arena, Cancellation& cancellation) {
  sg_response response = lower_response(record, arena);
  sg_error* error = ::sg_instance_start_on_response(instance.handle(), &response);
  Outcome outcome = co_await run_to_action(queue, instance, error, arena, cancellation);
  co_return outcome;
}

}  // namespace sandgate::abi::router_middleware
