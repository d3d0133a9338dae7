// SPDX-License-Identifier: Apache-2.0
#include "config/units.h"

#include <fmt/core.h>

#include <array>
#include <charconv>
#include <limits>

namespace sandgate::config {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

// The largest first, as format takes the first one that fits.
constexpr std::array<Unit, 5> kDurations = {
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};
constexpr std::array<Unit, 7> kSizes = {{{"GiB", 1 << 30},
                                         {"MiB", 1 << 20},
                                         {"KiB", 1 << 10},
                                         {"GB", 1'000'000'000},
                                         {"MB", 1'000'000},
                                         {"KB", 1000},
                                         {"B", 1}}};

template <std::size_t n>
std::optional<std::int64_t> parse(std::string_view text, const std::array<Unit, n>& units) {
  std::int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  for (const Unit& unit : units) {
    if (text != unit.name) continue;
    if (number > std::numeric_limits<std::int64_t>::max() / unit.factor) return std::nullopt;
    return number * unit.factor;
  }
  return std::nullopt;
}

template <std::size_t n>
std::string format(std::int64_t number, std::string_view zero, const std::array<Unit, n>& units) {
  if (number == 0) return std::string(zero);
  for (const Unit& unit : units) {
    if (number % unit.factor == 0) return fmt::format("{}{}", number / unit.factor, unit.name);
  }
  return fmt::format("{}{}", number, units.back().name);
}

}  // namespace

std::optional<Milliseconds> parse_duration(std::string_view text) {
  std::optional<std::int64_t> number = parse(text, kDurations);
  if (!number) return std::nullopt;
  return Milliseconds(*number);
}

std::string format_duration(Milliseconds duration) { return format(duration.count(), "0s", kDurations); }

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  std::optional<std::int64_t> number = parse(text, kSizes);
  if (!number) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

std::string format_bytes(std::uint64_t bytes) { return format(static_cast<std::int64_t>(bytes), "0B", kSizes); }

}  // namespace sandgate::config
