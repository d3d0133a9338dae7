// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sandgate::http {

// IMF-fixdate of RFC 9110 section 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT". `unix_seconds` from 0 to the year 9999.
std::string format_date(std::int64_t unix_seconds);

// Seconds since 1970 of a date in one of the three forms that a recipient must read: IMF-fixdate, RFC 850's ("Sunday,
// 06-Nov-94 08:49:37 GMT", years 70-99 of the last century) and asctime's ("Sun Nov  6 08:49:37 1994"). Nothing for
// anything else, for a day or time that does not exist, and before 1970. The name of the day is not compared.
std::optional<std::int64_t> parse_date(std::string_view text);

}  // namespace sandgate::http
