// SPDX-License-Identifier: Apache-2.0
//
// The only reads of clocks. Everything else is handed a time or a Loop.
#pragma once

#include <cstdint>
#include <string>

#include "base/loop.h"

namespace sandgate::platform {

// Since an arbitrary start; never goes back. About 24 ns.
Nanoseconds monotonic_now();
// The same scale, up to one tick of the kernel (4 ms) behind: good for timeouts. About 6 ns.
Nanoseconds monotonic_coarse_now();
// Unix time.
std::int64_t unix_now_ns();
// Unix time in seconds, up to one tick of the kernel behind. About 6 ns.
std::int64_t unix_coarse_now_s();
inline std::int64_t unix_now_ms() { return unix_now_ns() / 1'000'000; }

// RFC 3339 in UTC with nine fractional digits: "2026-01-02T03:04:05.123456789Z".
std::string format_rfc3339(std::int64_t unix_ns);

}  // namespace sandgate::platform
