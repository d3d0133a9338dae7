// SPDX-License-Identifier: Apache-2.0
#include "telemetry/exposition.h"

#include <fmt/core.h>

#include <iterator>

namespace sandgate::telemetry {
namespace {

std::string_view type_name(MetricType type) {
  switch (type) {
    case MetricType::kCounter: return "counter";
    case MetricType::kGauge: return "gauge";
    case MetricType::kHistogram: return "histogram";
    case MetricType::kSummary: return "summary";
  }
  return "untyped";
}

// Label values are names that people configured. Bytes above 0x7e and control bytes become '?', which keeps the text
// valid UTF-8.
void append_label_value(std::string& out, std::string_view value) {
  for (char c : value) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else {
      auto byte = static_cast<unsigned char>(c);
      out += byte >= 0x20 && byte <= 0x7e ? c : '?';
    }
  }
}

}  // namespace

void Exposition::family(std::string_view name, MetricType type, std::string_view help) {
  name_ = name;
  fmt::format_to(std::back_inserter(out_), "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type_name(type));
}

void Exposition::begin_sample(Labels labels, std::string_view suffix) {
  out_ += name_;
  out_ += suffix;
  char separator = '{';
  for (const Label& label : labels) {
    out_ += separator;
    out_ += label.name;
    out_ += "=\"";
    append_label_value(out_, label.value);
    out_ += '"';
    separator = ',';
  }
  if (separator == ',') out_ += '}';
  out_ += ' ';
}

void Exposition::sample(Labels labels, std::uint64_t value, std::string_view suffix) {
  begin_sample(labels, suffix);
  fmt::format_to(std::back_inserter(out_), "{}\n", value);
}

void Exposition::sample_seconds(Labels labels, std::uint64_t ns, std::string_view suffix) {
  constexpr std::uint64_t kNanosecondsPerSecond = 1'000'000'000;
  begin_sample(labels, suffix);
  fmt::format_to(std::back_inserter(out_), "{}.{:09}\n", ns / kNanosecondsPerSecond, ns % kNanosecondsPerSecond);
}

}  // namespace sandgate::telemetry
