// SPDX-License-Identifier: Apache-2.0
#include "platform/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

namespace sandgate::log {
namespace {

// The operational log belongs to the process, as stderr does.
spdlog::logger& logger() {
  static std::shared_ptr<spdlog::logger> instance = [] {
    auto made = std::make_shared<spdlog::logger>("sandgate", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v", spdlog::pattern_time_type::utc);
    made->flush_on(spdlog::level::info);
    return made;
  }();
  return *instance;
}

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::kDebug: return spdlog::level::debug;
    case Level::kInfo: return spdlog::level::info;
    case Level::kWarning: return spdlog::level::warn;
    case Level::kError: return spdlog::level::err;
    case Level::kOff: return spdlog::level::off;
  }
  return spdlog::level::info;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

void append_hex(std::string& out, char c) {
  constexpr std::string_view kHexDigits = "0123456789abcdef";
  auto byte = static_cast<unsigned char>(c);
  out += "\\x";
  out += kHexDigits[byte >> 4];
  out += kHexDigits[byte & 15];
}

}  // namespace

void set_level(Level level) { logger().set_level(to_spdlog(level)); }

Level level() {
  for (Level level : {Level::kDebug, Level::kInfo, Level::kWarning, Level::kError}) {
    if (enabled(level)) return level;
  }
  return Level::kOff;
}

bool enabled(Level level) { return logger().should_log(to_spdlog(level)); }

void write(Level level, std::string_view line) {
  bool clean = true;
  for (char c : line) clean = clean && !is_control(c);
  if (clean) {
    logger().log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
    return;
  }
  std::string safe;
  for (char c : line) {
    if (is_control(c)) {
      append_hex(safe, c);
    } else {
      safe += c;
    }
  }
  logger().log(to_spdlog(level), spdlog::string_view_t(safe.data(), safe.size()));
}

void flush() { logger().flush(); }

void append_escaped(std::string& out, std::string_view text, std::size_t bytes_max) {
  for (char c : text.substr(0, bytes_max)) {
    if (c == '\\' || c == '"') {
      out += '\\';
      out += c;
    } else if (is_control(c) || static_cast<unsigned char>(c) > 0x7e) {
      append_hex(out, c);
    } else {
      out += c;
    }
  }
  if (text.size() > bytes_max) out += "...";
}

std::string escaped(std::string_view text, std::size_t bytes_max) {
  std::string out;
  append_escaped(out, text, bytes_max);
  return out;
}

}  // namespace sandgate::log
