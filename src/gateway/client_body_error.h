// SPDX-License-Identifier: Apache-2.0
//
// What to answer when the body of a request cannot be read. The client is to blame, not an upstream: a body that does
// not arrive in time is 408, which the kinds of errors cannot say (exchange/problem.h maps kTimedOut to 504).
#pragma once

#include "base/result.h"
#include "base/task.h"
#include "exchange/exchange.h"

namespace sandgate::gateway {

// Answers 408 for kTimedOut; hands every other error back for the caller's caller to answer. Aborts when the response
// has begun. `error` lives until the Task ends.
Task<Status> refuse_client_body(Exchange& exchange, const Error& error);

}  // namespace sandgate::gateway
