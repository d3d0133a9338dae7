// SPDX-License-Identifier: Apache-2.0
//
// [server] and [limits]: what concerns the process as a whole.
#pragma once

#include <string>

#include "config/settings.h"
#include "config/table_reader.h"

namespace sandgate::config {

// Ranges that flags of the command line share.
inline constexpr Range<std::size_t> kConnections = {1, 1'000'000};
inline constexpr Range<Milliseconds> kDrain = {Milliseconds(0), Milliseconds(3'600'000)};
// Ranges of the limits of modules (the router's: docs/limits.md).
inline constexpr Range<std::uint64_t> kMemoryPages = {1, 65536};
inline constexpr Range<Milliseconds> kCallTime = {Milliseconds(1), Milliseconds(300'000)};
inline constexpr Range<std::uint64_t> kStackBytes = {std::uint64_t{64} << 10, std::uint64_t{16} << 20};
inline constexpr Range<unsigned> kRunningCalls = {1, 128};
inline constexpr Range<std::size_t> kWarmInstances = {1, 1000};
inline constexpr Range<std::uint64_t> kBodyBytes = {std::uint64_t{1} << 20, std::uint64_t{100} << 20};

// `directory`: where relative paths begin.
void read_server(TableReader& in, const std::string& directory, Settings& settings);
void read_limits(TableReader& in, Settings& settings);

}  // namespace sandgate::config
