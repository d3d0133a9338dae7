// SPDX-License-Identifier: Apache-2.0
//
// The id by which one request is found again in logs, in the answer (x-request-id) and at the upstream. A client's own
// id is kept when it is usable, so that a caller can follow its request; it proves nothing.
#pragma once

#include <cstddef>
#include <string_view>

#include "exchange/exchange.h"
#include "platform/entropy.h"

namespace sandgate::gateway {

inline constexpr std::size_t kRequestIdBytesMax = 128;
inline constexpr std::string_view kRequestIdField = "x-request-id";

// 1 to kRequestIdBytesMax visible ASCII bytes (0x21-0x7e).
bool is_request_id(std::string_view text);

// Sets exchange.id and the request's x-request-id: the one received when there is exactly one and it is usable, else
// the next of `ids`.
void assign_request_id(Exchange& exchange, platform::RequestIds& ids);

}  // namespace sandgate::gateway
