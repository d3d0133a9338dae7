// SPDX-License-Identifier: Apache-2.0
//
// The log line of an exchange that the gateway answers with an error.
#pragma once

#include "base/error.h"
#include "exchange/exchange.h"

namespace sandgate::gateway {

// A warning when an upstream or the gateway is at fault, else a debug line. Names the upstream tried last.
void log_exchange_error(const Exchange& exchange, const Error& error);

}  // namespace sandgate::gateway
