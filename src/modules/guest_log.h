// SPDX-License-Identifier: Apache-2.0
//
// What guests write (stdout, stderr, wasi:logging), as lines of the operational log with the module's name and the
// request id. Everything a guest wrote is escaped; each module has a rate, so that one that floods costs neither disk
// nor time. One per process, outlives the engine; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/loop.h"
#include "sandbox/instance_host.h"

namespace sandgate::modules {

class GuestLog {
 public:
  // Lines per second that a module may write for as long as it likes, and how many it may have saved up: a stack trace
  // gets through, a loop does not.
  static constexpr std::uint64_t kLinesPerSecond = 100;
  static constexpr std::uint64_t kLinesBurst = 200;
  // Of one line; the rest is cut.
  static constexpr std::size_t kLineBytesMax = 2048;
  // Modules whose rate is remembered: those deployed and as many removed ones.
  static constexpr std::size_t kModulesMax = 2048;

  using Now = std::function<Nanoseconds()>;
  using Write = std::function<void(std::string_view line)>;

  // To the operational log, by the monotonic clock.
  GuestLog();
  GuestLog(Now now, Write write);

  // A module that writes faster than its rate loses lines; a notice
  // with their number follows, at most one a second.
  void write(std::string_view module_name, std::string_view request_id, const sandbox::GuestLine& line) noexcept;

 private:
  // A token bucket: how many lines the module may write now, filled by time.
  struct Allowance {
    std::uint64_t lines = kLinesBurst;
    Nanoseconds filled_until{0};
    Nanoseconds noticed{0};
    std::uint64_t dropped = 0;
  };

  // Whether the line may be written, and how many were dropped when that is due to be told. Under the lock.
  bool admit(std::string_view module_name, std::uint64_t* dropped);
  Allowance& allowance_of(std::string_view module_name, Nanoseconds now);

  const Now now_;
  const Write write_;
  std::mutex mutex_;
  std::map<std::string, Allowance, std::less<>> allowances_;
};

}  // namespace sandgate::modules
