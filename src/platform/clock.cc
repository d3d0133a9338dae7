// SPDX-License-Identifier: Apache-2.0
#include "platform/clock.h"

#include <fmt/core.h>

#include <ctime>

namespace sandgate::platform {
namespace {

constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;

std::int64_t read_clock(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<std::int64_t>(now.tv_sec) * kNanosecondsPerSecond + now.tv_nsec;
}

}  // namespace

Nanoseconds monotonic_now() { return Nanoseconds(read_clock(CLOCK_MONOTONIC)); }

Nanoseconds monotonic_coarse_now() { return Nanoseconds(read_clock(CLOCK_MONOTONIC_COARSE)); }

std::int64_t unix_now_ns() { return read_clock(CLOCK_REALTIME); }

std::int64_t unix_coarse_now_s() { return read_clock(CLOCK_REALTIME_COARSE) / kNanosecondsPerSecond; }

std::string format_rfc3339(std::int64_t unix_ns) {
  std::time_t seconds = unix_ns / kNanosecondsPerSecond;
  std::int64_t fraction = unix_ns % kNanosecondsPerSecond;
  if (fraction < 0) {
    fraction += kNanosecondsPerSecond;
    --seconds;
  }
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                     utc.tm_hour, utc.tm_min, utc.tm_sec, fraction);
}

}  // namespace sandgate::platform
