// SPDX-License-Identifier: Apache-2.0
//
// W3C Trace Context (https://www.w3.org/TR/trace-context/): what comes valid is kept as it is, so a gateway in the
// middle of a trace is invisible to it. Where a trace may begin here, requests without one get one.
#pragma once

#include <string_view>

#include "exchange/exchange.h"
#include "platform/entropy.h"

namespace sandgate::gateway {

enum class TraceContext : unsigned char {
  kKeep,    // nothing is added
  kCreate,  // a request without a valid traceparent gets one, sampled; what was invalid goes, with its tracestate
};

// Section 3.2.2: version 00, or a later one that begins like it; lower-case hex; neither id all zeros.
bool is_traceparent(std::string_view value);

// After the request id is set: it is the trace id when it can be one, so that logs and traces share it.
void begin_trace(Exchange& exchange, platform::RequestIds& ids);

}  // namespace sandgate::gateway
