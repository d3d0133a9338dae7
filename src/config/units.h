// SPDX-License-Identifier: Apache-2.0
//
// Durations and sizes as people write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/loop.h"

namespace sandgate::config {

// "500ms", "5s", "2m", "1h", "1d": a whole number and its unit. Nothing when it is none, or beyond 2^63 ms.
std::optional<Milliseconds> parse_duration(std::string_view text);
// In the largest unit that keeps it whole.
std::string format_duration(Milliseconds duration);

// "512B", "64KiB", "16MiB", "2GiB", and KB, MB, GB for powers of 1000. Nothing when it is none, or beyond 2^63.
std::optional<std::uint64_t> parse_bytes(std::string_view text);
std::string format_bytes(std::uint64_t bytes);

}  // namespace sandgate::config
