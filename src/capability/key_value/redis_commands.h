// SPDX-License-Identifier: Apache-2.0
//
// What guests ask, in the words of Redis, and its replies as answers. Pure. A store is the keys that begin with
// "PREFIX:LENGTH:NAME:", which no other store's do, whatever names and keys contain. Values are strings, and numbers
// their decimal digits, as everywhere.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "capability/key_value/answer.h"
#include "capability/key_value/redis_protocol.h"
#include "sandbox/instance_host.h"

namespace sandgate::capability {

// What all keys of a store begin with.
std::string redis_key_prefix(std::string_view prefix, std::string_view store);

// The command for an operation, but for kOpen. A page of keys may take several: the next ones with the cursor of the
// reply before. `prefix`: of the store.
std::string redis_command(const sandbox::KeyValueRequest& request, std::string_view prefix);

// Whether Redis says that it cannot serve now (it loads, is a replica, is full), rather than that the command is wrong.
bool redis_cannot_now(const RedisReply& reply);

// The reply to that command. Texts of Redis are not for guests.
Answer redis_answer(sandbox::KeyValueOperation operation, std::size_t keys, std::string_view prefix, RedisReply reply);

}  // namespace sandgate::capability
