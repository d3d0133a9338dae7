// SPDX-License-Identifier: Apache-2.0
//
// Reads a whole request body into memory, for modules that want all of it.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/task.h"
#include "exchange/body_source.h"

namespace sandgate::gateway {

// Appends the body to `to`, which outlives the Task, as `body` does. kTooLarge when it is longer than `bytes_max`, at
// once when its length says so; the rest is given up then. Other errors are the source's.
Task<Status> read_whole_body(BodySource& body, std::uint64_t bytes_max, std::string& to);

}  // namespace sandgate::gateway
