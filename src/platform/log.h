// SPDX-License-Identifier: Apache-2.0
//
// The operational log: one line per event on stderr, time first, level second. Text that others chose (paths, fields,
// guest output) passes through escaped(), so that no one writes lines of their own. Thread-safe. Secrets never go in
// here.
#pragma once

#include <fmt/core.h>

#include <string>
#include <string_view>

namespace sandgate::log {

enum class Level : unsigned char { kDebug, kInfo, kWarning, kError, kOff };

void set_level(Level level);
// The least that is written.
Level level();
bool enabled(Level level);
// Writes the line; control bytes in it are escaped once more, so a line stays a line.
void write(Level level, std::string_view line);
// Everything written so far is out.
void flush();

template <typename... Arguments>
void debug(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  if (enabled(Level::kDebug)) write(Level::kDebug, fmt::format(format, std::forward<Arguments>(arguments)...));
}
template <typename... Arguments>
void info(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  if (enabled(Level::kInfo)) write(Level::kInfo, fmt::format(format, std::forward<Arguments>(arguments)...));
}
template <typename... Arguments>
void warning(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  if (enabled(Level::kWarning)) write(Level::kWarning, fmt::format(format, std::forward<Arguments>(arguments)...));
}
template <typename... Arguments>
void error(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  if (enabled(Level::kError)) write(Level::kError, fmt::format(format, std::forward<Arguments>(arguments)...));
}

// Appends `text` with backslashes, double quotes, control bytes and bytes above 0x7e as \xHH, at most `bytes_max` of it
// ("..." follows when cut).
void append_escaped(std::string& out, std::string_view text, std::size_t bytes_max = 4096);
std::string escaped(std::string_view text, std::size_t bytes_max = 4096);

}  // namespace sandgate::log
