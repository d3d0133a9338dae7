// SPDX-License-Identifier: Apache-2.0
//
// Lowering and lifting of this ABI's records: heads into what the engine takes, the engine's action into ours.
#pragma once

#include <expected>

#include "abi/router_middleware/calls.h"
#include "base/arena.h"
#include "sandgate_engine.h"

namespace sandgate::abi::router_middleware {

// Views into the record; what must be rewritten (names in upper case, values that are no UTF-8) is in `arena`.
sg_request lower_request(const RequestRecord& record, Arena& arena);
sg_response lower_response(const ResponseRecord& record, Arena& arena);

// Checked and copied into `arena`; nothing points into the engine any more. Blanks around values are dropped, as HTTP
// does (RFC 9110 section 5.5).
std::expected<Action, sandbox::GuestFailure> lift_action(const sg_action& action, Arena& arena);

}  // namespace sandgate::abi::router_middleware
