// SPDX-License-Identifier: Apache-2.0
//
// Bodies of admin requests, read whole into memory up to a bound. Loop thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "exchange/exchange.h"

namespace sandgate::admin {

// kTooLarge with `too_large` as its detail, as soon as it is known; else what the body source says.
Task<Result<std::string>> receive_body(Exchange& exchange, std::size_t bytes_max, std::string_view too_large);

// The answer when receive_body() failed with `error`; a client is slow here, not an upstream.
Task<Status> answer_unread_body(Exchange& exchange, Error error);

}  // namespace sandgate::admin
