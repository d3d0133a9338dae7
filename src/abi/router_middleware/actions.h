// SPDX-License-Identifier: Apache-2.0
//
// What an action means for a message: header edits in the order set, add, remove; names without case. An edit that is
// no valid HTTP is a failure of the module; an edit to what the gateway alone decides (http/hop_by_hop.h) is ignored
// and counted so that it can be logged.
#pragma once

#include <cstddef>
#include <expected>
#include <functional>
#include <string_view>

#include "abi/router_middleware/calls.h"
#include "http/message.h"

namespace sandgate::abi::router_middleware {

// Checks an action: status 200-599, field names tokens, values without control bytes, counts and total bytes within
// limits. Called by calls.cc.
std::expected<void, sandbox::GuestFailure> validate(const Action& action);

// Names of the ignored edits are handed to `ignored` (may be empty).
using Ignored = std::function<void(std::string_view field_name)>;

// Applies field edits. Status and body of the action are the caller's business. Edits of Host: allowed in requests,
// ignored in responses.
void apply_to_request(const Action& action, http::RequestHead& head, const Ignored& ignored);
void apply_to_response(const Action& action, http::ResponseHead& head, const Ignored& ignored);

}  // namespace sandgate::abi::router_middleware
