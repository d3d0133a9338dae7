// SPDX-License-Identifier: Apache-2.0
//
// What is wrong with a configuration file: every mistake, with its line.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sandgate::config {

struct Diagnostic {
  unsigned line = 0;  // from 1; 0: the file as a whole
  std::string message;

  bool operator==(const Diagnostic&) const = default;
};

class Diagnostics {
 public:
  // Nobody reads more; the rest is counted.
  static constexpr std::size_t kKeptMax = 100;

  void add(unsigned line, std::string message);
  bool empty() const { return found_.empty(); }
  // By line.
  std::vector<Diagnostic> sorted() const;
  // "FILE:LINE: message" each, by line; and how many more there are.
  std::vector<std::string> lines(std::string_view file) const;

 private:
  std::vector<Diagnostic> found_;
  std::size_t left_out_ = 0;
};

// How many letters must change, be added or be removed; at most `limit` + 1.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit);
// "; did you mean \"interval\"?", or "; it may be \"a\", \"b\" or \"c\"".
std::string suggestion(std::string_view word, const std::vector<std::string>& known);

}  // namespace sandgate::config
