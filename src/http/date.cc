// SPDX-License-Identifier: Apache-2.0
#include "http/date.h"

#include <chrono>
#include <string_view>

namespace sandgate::http {
namespace {

void put_two_digits(char* to, unsigned value) {
  to[0] = static_cast<char>('0' + value / 10);
  to[1] = static_cast<char>('0' + value % 10);
}

}  // namespace

std::string format_date(std::int64_t unix_seconds) {
  static constexpr std::string_view kDays = "SunMonTueWedThuFriSat";
  static constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const std::chrono::sys_seconds instant{std::chrono::seconds{unix_seconds}};
  const auto day = std::chrono::floor<std::chrono::days>(instant);
  const std::chrono::year_month_day date{day};
  const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
  const auto second = static_cast<unsigned>((instant - day).count());

  std::string out = "Day, 00 Mon 0000 00:00:00 GMT";
  kDays.copy(out.data(), 3, std::chrono::weekday{day}.c_encoding() * std::size_t{3});
  put_two_digits(out.data() + 5, static_cast<unsigned>(date.day()));
  kMonths.copy(out.data() + 8, 3, (static_cast<unsigned>(date.month()) - 1) * std::size_t{3});
  put_two_digits(out.data() + 12, year / 100);
  put_two_digits(out.data() + 14, year % 100);
  put_two_digits(out.data() + 17, second / 3600);
  put_two_digits(out.data() + 20, second / 60 % 60);
  put_two_digits(out.data() + 23, second % 60);
  return out;
}

}  // namespace sandgate::http
