// SPDX-License-Identifier: Apache-2.0
#include "gateway/guest_context.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace sandgate::gateway {

using sandbox::KeyValueStatus;

void GuestContext::line(const sandbox::GuestLine& line) noexcept {
  services_.log.write(module_.name, request_id_, line);
}

// Opening is where the grant is looked at: the engine keeps the numbers of buckets from the guest.
void GuestContext::key_value(const sandbox::KeyValueRequest& request, sandbox::KeyValueCompletion completion) noexcept {
  if (request.operation != sandbox::KeyValueOperation::kOpen) {
    return services_.key_value.serve(loop_, request, std::move(completion));
  }
  const std::vector<std::string>& granted = module_.options.key_value;
  if (std::ranges::find(granted, request.identifier) == granted.end()) {
    return completion.finish({.status = KeyValueStatus::kAccessDenied});
  }
  std::optional<std::uint64_t> bucket = services_.key_value.open(request.identifier);
  if (!bucket)
    return completion.finish({.status = KeyValueStatus::kOther, .message = "the server has no room for another store"});
  completion.finish({.number = static_cast<std::int64_t>(*bucket)});
}

}  // namespace sandgate::gateway
