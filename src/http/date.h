// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace sandgate::http {

// IMF-fixdate of RFC 9110 section 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT". `unix_seconds` from 0 to the year 9999.
std::string format_date(std::int64_t unix_seconds);

}  // namespace sandgate::http
