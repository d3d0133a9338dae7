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
// What a module's name and a request's id have at most.
constexpr std::size_t kNameBytesShown = 64;
constexpr std::size_t kIdBytesShown = 128;

// "stdout", "stderr", or the level and context that the guest gave: "warn [cache]".
std::string origin(const sandbox::GuestLine& line) {
  if (line.source == sandbox::LineSource::kStdout) return "stdout";
  if (line.source == sandbox::LineSource::kStderr) return "stderr";
  std::string_view level = sandbox::line_level_name(line.level);
  if (line.context.empty()) return std::string(level);
  return fmt::format("{} [{}]", level, log::escaped(line.context, kNameBytesShown));
}

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

void GuestLog::write(std::string_view module_name, std::string_view request_id,
                     const sandbox::GuestLine& line) noexcept {
  std::uint64_t dropped = 0;
  if (!admit(module_name, &dropped)) return;
  std::string module = log::escaped(module_name, kNameBytesShown);
  if (dropped != 0)
    write_(fmt::format("guest {}: {} lines dropped, over {} lines per second", module, dropped, kLinesPerSecond));
  write_(fmt::format("guest {} request {} {}: {}", module, log::escaped(request_id, kIdBytesShown), origin(line),
                     log::escaped(line.text, kLineBytesMax)));
}

}  // namespace sandgate::modules
