// SPDX-License-Identifier: Apache-2.0
#include "config/diagnostics.h"

#include <fmt/core.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/ascii.h"

namespace sandgate::config {
namespace {

// A word of five letters with two wrong ones is another word.
constexpr std::size_t kTyposMax = 2;
// More names than this are no help in a message.
constexpr std::size_t kNamesShownMax = 24;

}  // namespace

void Diagnostics::add(unsigned line, std::string message) {
  if (found_.size() == kKeptMax) {
    ++left_out_;
    return;
  }
  Diagnostic diagnostic{line, std::move(message)};
  // Two readers may stumble over the same thing.
  if (std::ranges::find(found_, diagnostic) == found_.end()) found_.push_back(std::move(diagnostic));
}

std::vector<Diagnostic> Diagnostics::sorted() const {
  std::vector<Diagnostic> all = found_;
  std::ranges::sort(all, [](const Diagnostic& a, const Diagnostic& b) {
    return std::pair(a.line, std::string_view(a.message)) < std::pair(b.line, std::string_view(b.message));
  });
  return all;
}

std::vector<std::string> Diagnostics::lines(std::string_view file) const {
  std::vector<std::string> out;
  for (const Diagnostic& diagnostic : sorted()) {
    out.push_back(diagnostic.line == 0 ? fmt::format("{}: {}", file, diagnostic.message)
                                       : fmt::format("{}:{}: {}", file, diagnostic.line, diagnostic.message));
  }
  if (left_out_ > 0) out.push_back(fmt::format("{}: and {} more mistakes", file, left_out_));
  return out;
}

std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
  std::size_t difference = a.size() > b.size() ? a.size() - b.size() : b.size() - a.size();
  if (difference > limit) return limit + 1;
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      std::size_t changed = diagonal + (ascii_lower(a[i]) == ascii_lower(b[j]) ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
    }
  }
  return std::min(row[b.size()], limit + 1);
}

std::string suggestion(std::string_view word, const std::vector<std::string>& known) {
  if (known.empty()) return {};
  // A short word is near to every other short word.
  std::size_t limit = std::min(kTyposMax, word.size() / 2);
  std::string_view best;
  std::size_t distance = limit + 1;
  for (const std::string& name : known) {
    std::size_t its = edit_distance(word, name, limit);
    if (its < distance) {
      distance = its;
      best = name;
    }
  }
  if (!best.empty()) return fmt::format("; did you mean \"{}\"?", best);
  if (known.size() > kNamesShownMax) return {};
  std::string names;
  for (std::size_t i = 0; i < known.size(); ++i) {
    std::string_view glue = i == 0 ? "" : i + 1 == known.size() ? " or " : ", ";
    names += fmt::format("{}\"{}\"", glue, known[i]);
  }
  return fmt::format("; it may be {}", names);
}

}  // namespace sandgate::config
