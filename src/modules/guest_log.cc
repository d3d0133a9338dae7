// SPDX-License-Identifier: Apache-2.0
#include "modules/guest_log.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "platform/clock.h"
#include "platform/log.h"

namespace sandgate::modules {
namespace {

constexpr Nanoseconds kSecond = std::chrono::seconds(1);
constexpr Nanoseconds kPerLine = kSecond / GuestLog::kLinesPerSecond;
constexpr Nanoseconds kNoticeInterval = kSecond;

}  // namespace

GuestLog::GuestLog()
    : GuestLog(platform::monotonic_now, [](std::string_view line) { log::write(log::Level::kInfo, line); }) {}

GuestLog::GuestLog(Now now, Write write) : now_(std::move(now)), write_(std::move(write)) {}

GuestLog::Allowance& GuestLog::allowance_of(std::string_view module_name, Nanoseconds now) {
  if (auto found = allowances_.find(module_name); found != allowances_.end()) return found->second;
  // Whoever did not write for long enough has a full allowance again and needs no memory.
  if (allowances_.size() >= kModulesMax) {
    std::erase_if(allowances_, [now](const auto& entry) {
      return entry.second.dropped == 0 && now - entry.second.filled_until > kPerLine * kLinesBurst;
    });
  }
  if (allowances_.size() >= kModulesMax) allowances_.clear();
  Allowance fresh;
  fresh.filled_until = now;
  fresh.noticed = now - kNoticeInterval;
  return allowances_.emplace(module_name, fresh).first->second;
}

bool GuestLog::admit(std::string_view module_name, std::uint64_t* dropped) {
  Nanoseconds now = now_();
  std::lock_guard lock(mutex_);
  Allowance& allowance = allowance_of(module_name, now);
  // Another thread may have read the clock later and come first.
  if (now > allowance.filled_until) {
    auto earned = (now - allowance.filled_until) / kPerLine;
    allowance.filled_until += earned * kPerLine;
    allowance.lines = std::min(kLinesBurst, allowance.lines + static_cast<std::uint64_t>(earned));
  }
  if (allowance.lines == 0) {
    ++allowance.dropped;
    return false;
  }
  --allowance.lines;
  if (allowance.dropped != 0 && now - allowance.noticed >= kNoticeInterval) {
    *dropped = std::exchange(allowance.dropped, 0);
    allowance.noticed = now;
  }
  return true;
}

void GuestLog::line(void* user, bool is_stderr, std::string_view text) noexcept {
  if (user == nullptr) return;
  const auto& call = *static_cast<const CallLog*>(user);
  std::uint64_t dropped = 0;
  if (!admit(call.module_name, &dropped)) return;
  if (dropped != 0) {
    write_(fmt::format("guest {}: {} lines dropped, over {} lines per second", log::escaped(call.module_name, 64),
                       dropped, kLinesPerSecond));
  }
  write_(fmt::format("guest {} request {} {}: {}", log::escaped(call.module_name, 64),
                     log::escaped(call.request_id, 128), is_stderr ? "stderr" : "stdout",
                     log::escaped(text, kLineBytesMax)));
}

}  // namespace sandgate::modules
