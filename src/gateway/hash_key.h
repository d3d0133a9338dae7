// SPDX-License-Identifier: Apache-2.0
//
// What consistent hashing goes by, found in a request.
#pragma once

#include <optional>
#include <string_view>

#include "exchange/exchange.h"
#include "gateway/upstream_options.h"

namespace sandgate::gateway {

// Nothing when the request has no such field or cookie, or an empty one: such requests would all meet at one server.
// Lives as long as the exchange's request.
std::optional<std::string_view> hash_key_of(const Exchange& exchange, const HashKey& key);

}  // namespace sandgate::gateway
