// SPDX-License-Identifier: Apache-2.0
#include "http/date.h"

#include <chrono>
#include <string_view>

namespace sandgate::http {
namespace {

constexpr std::string_view kDays = "SunMonTueWedThuFriSat";
constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";

void put_two_digits(char* to, unsigned value) {
  to[0] = static_cast<char>('0' + value / 10);
  to[1] = static_cast<char>('0' + value % 10);
}

// Takes a date apart from the left. Once something did not fit, `ok` is false and stays so.
struct DateReader {
  std::string_view text;
  bool ok = true;

  void expect(std::string_view literal) {
    ok = ok && text.starts_with(literal);
    if (ok) text.remove_prefix(literal.size());
  }
  int digits(std::size_t count) {
    int number = 0;
    ok = ok && text.size() >= count;
    for (std::size_t i = 0; ok && i < count; ++i) {
      ok = text[i] >= '0' && text[i] <= '9';
      number = number * 10 + (text[i] - '0');
    }
    if (ok) text.remove_prefix(count);
    return ok ? number : 0;
  }
  // The index of a name of three letters; -1 when it is none of them.
  int name(std::string_view names) {
    for (std::size_t i = 0; ok && i + 3 <= names.size(); i += 3) {
      if (!text.starts_with(names.substr(i, 3))) continue;
      text.remove_prefix(3);
      return static_cast<int>(i / 3);
    }
    ok = false;
    return -1;
  }
  // The rest of a name of a day that was written in full.
  void letters() {
    while (!text.empty() && text.front() >= 'a' && text.front() <= 'z') text.remove_prefix(1);
  }
};

struct CivilTime {
  int year = 0;
  int month = 0;  // from 0
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
};

void read_time(DateReader& in, CivilTime& time) {
  time.hour = in.digits(2);
  in.expect(":");
  time.minute = in.digits(2);
  in.expect(":");
  time.second = in.digits(2);
}

void read_asctime(DateReader& in, CivilTime& time) {
  in.expect(" ");
  time.month = in.name(kMonths);
  in.expect(" ");
  if (in.text.starts_with(' ')) {
    in.expect(" ");
    time.day = in.digits(1);
  } else {
    time.day = in.digits(2);
  }
  in.expect(" ");
  read_time(in, time);
  in.expect(" ");
  time.year = in.digits(4);
}

void read_with_comma(DateReader& in, CivilTime& time) {
  const bool rfc850 = !in.text.starts_with(',');
  if (rfc850) in.letters();
  in.expect(", ");
  time.day = in.digits(2);
  in.expect(rfc850 ? "-" : " ");
  time.month = in.name(kMonths);
  in.expect(rfc850 ? "-" : " ");
  time.year = in.digits(rfc850 ? 2 : 4);
  if (rfc850) time.year += time.year < 70 ? 2000 : 1900;
  in.expect(" ");
  read_time(in, time);
  in.expect(" GMT");
}

}  // namespace

std::optional<std::int64_t> parse_date(std::string_view text) {
  DateReader in{text};
  CivilTime time;
  in.name(kDays);
  if (in.text.starts_with(' ')) {
    read_asctime(in, time);
  } else {
    read_with_comma(in, time);
  }
  // A leap second is a second like the one before it: the clock of the system has none.
  if (!in.ok || !in.text.empty() || time.hour > 23 || time.minute > 59 || time.second > 60) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(time.year),
                                         std::chrono::month(static_cast<unsigned>(time.month) + 1),
                                         std::chrono::day(static_cast<unsigned>(time.day))};
  if (!date.ok() || time.year < 1970) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return ((days * 24 + time.hour) * 60 + time.minute) * 60 + (time.second == 60 ? 59 : time.second);
}

std::string format_date(std::int64_t unix_seconds) {
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
