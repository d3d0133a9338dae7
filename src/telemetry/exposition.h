// SPDX-License-Identifier: Apache-2.0
//
// Writes the text exposition format 0.0.4 of Prometheus: families with HELP and TYPE, samples with escaped label
// values. Pure.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace sandgate::telemetry {

inline constexpr std::string_view kExpositionContentType = "text/plain; version=0.0.4; charset=utf-8";

enum class MetricType : unsigned char { kCounter, kGauge, kHistogram, kSummary };

struct Label {
  std::string_view name;
  std::string_view value;  // any bytes; what is not printable ASCII becomes a question mark
};
using Labels = std::initializer_list<Label>;

class Exposition {
 public:
  // Begins a family; its samples follow. `name` and `help` are static and plain.
  void family(std::string_view name, MetricType type, std::string_view help);
  // A sample of the family, its name followed by `suffix` ("_bucket").
  void sample(Labels labels, std::uint64_t value, std::string_view suffix = {});
  // Nanoseconds, written as seconds.
  void sample_seconds(Labels labels, std::uint64_t ns, std::string_view suffix = {});

  std::string take() { return std::move(out_); }

 private:
  void begin_sample(Labels labels, std::string_view suffix);

  std::string out_;
  std::string_view name_;
};

}  // namespace sandgate::telemetry
