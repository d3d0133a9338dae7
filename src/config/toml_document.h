// SPDX-License-Identifier: Apache-2.0
//
// TOML 1.0 into values. The only place that knows the TOML library.
#pragma once

#include <cstddef>
#include <string_view>

#include "config/diagnostics.h"
#include "config/value.h"

namespace sandgate::config {

// A file with 10,000 routes has 2 MB.
inline constexpr std::size_t kFileBytesMax = std::size_t{8} << 20;
// Settings are nested four deep; a file that nests more is no configuration.
inline constexpr unsigned kDepthMax = 16;

// A syntax error ends the reading: then the table is empty and `out` says where.
Table parse_toml(std::string_view text, Diagnostics& out);

}  // namespace sandgate::config
