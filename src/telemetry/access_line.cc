// SPDX-License-Identifier: Apache-2.0
#include "telemetry/access_line.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "exchange/problem.h"
#include "platform/clock.h"
#include "platform/log.h"

namespace sandgate::telemetry {
namespace {

// Longest text of the parts. With kTargetBytesMax and the rest of a line they stay below kLineBytesMax.
constexpr std::size_t kMethodBytesMax = 32;
constexpr std::size_t kAddressBytesMax = 64;
constexpr std::size_t kNameBytesMax = 256;
constexpr std::size_t kAgentBytesMax = 256;
// An escaped byte takes at most six ("\u001f").
constexpr std::size_t kEscapedByteMax = 6;

constexpr std::uint64_t in_every_byte(unsigned char byte) { return byte * 0x0101010101010101U; }

// Not zero when a byte of `word` is below `bound` (at most 0x80): the classic test for eight bytes at once.
constexpr std::uint64_t any_below(std::uint64_t word, unsigned char bound) {
  return (word - in_every_byte(bound)) & ~word & in_every_byte(0x80);
}

constexpr std::uint64_t any_equal(std::uint64_t word, unsigned char byte) {
  return any_below(word ^ in_every_byte(byte), 1);
}

// Not zero when a byte of `word` is not printable ASCII, a quote or a backslash.
constexpr std::uint64_t any_to_escape(std::uint64_t word) {
  return (word & in_every_byte(0x80)) | any_below(word, 0x20) | any_equal(word, 0x7f) | any_equal(word, '"') |
         any_equal(word, '\\');
}

// Whether text can be written as it is, eight bytes at a time: most of the cost of a line was here.
bool is_plain(std::string_view text) {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  std::uint64_t word = in_every_byte('a');
  if (text.size() < kWord) {
    for (std::size_t i = 0; i < text.size(); ++i) word = word << 8 | static_cast<unsigned char>(text[i]);
    return any_to_escape(word) == 0;
  }
  std::uint64_t marked = 0;
  for (std::size_t at = 0; at + kWord <= text.size(); at += kWord) {
    std::memcpy(&word, text.data() + at, kWord);
    marked |= any_to_escape(word);
  }
  // The last bytes, some of them for the second time.
  std::memcpy(&word, text.data() + text.size() - kWord, kWord);
  return (marked | any_to_escape(word)) == 0;
}

// `text`, escaped and cut so that it takes at most `bytes_max` and "...".
void append_cut(std::string& out, std::string_view text, std::size_t bytes_max, AccessLogFormat format) {
  std::string_view start = text.substr(0, bytes_max);
  if (is_plain(start)) {
    out += start;
  } else {
    start = text.substr(0, bytes_max / kEscapedByteMax);
    if (format == AccessLogFormat::kJson) {
      append_json_string(out, start);
    } else {
      log::append_escaped(out, start);
    }
  }
  if (start.size() < text.size()) out += "...";
}

template <typename Integer>
void append_number(std::string& out, Integer value) {
  std::array<char, 24> digits;
  auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  out.append(digits.data(), end);
}

// "." and `value`, below 1000, with leading zeros.
void append_fraction(std::string& out, std::int64_t value) {
  auto digit = [](std::int64_t number) { return static_cast<char>('0' + number % 10); };
  const std::array<char, 4> text = {'.', digit(value / 100), digit(value / 10), digit(value)};
  out.append(text.data(), text.size());
}

void append_time(std::string& out, std::int64_t unix_ms, SecondText& seconds) {
  unix_ms = std::max<std::int64_t>(unix_ms, 0);
  out += seconds.of(unix_ms / 1000);
  append_fraction(out, unix_ms % 1000);
  out += 'Z';
}

void append_milliseconds(std::string& out, Nanoseconds duration) {
  std::int64_t us = std::max<std::int64_t>(duration.count(), 0) / 1000;
  append_number(out, us / 1000);
  append_fraction(out, us % 1000);
}

void append_target(std::string& out, const Exchange& exchange, AccessLogFormat format, LoggedQuery query) {
  std::string_view target = exchange.target;
  std::size_t mark = query == LoggedQuery::kHidden ? target.find('?') : std::string_view::npos;
  append_cut(out, target.substr(0, mark), kTargetBytesMax, format);
  if (mark != std::string_view::npos) out += "?...";
}

std::string_view client_of(const Exchange& exchange) {
  return exchange.client.empty() ? exchange.peer.address : exchange.client;
}

// Of what modules did; a line has room for some ten, and the rest is left out.
constexpr std::size_t kStepsBytesMax = 768;

// modules="auth.OnRequest=continue/0.006 logging.OnRequest=modify/0.008": milliseconds.
void append_text_steps(std::string& out, const ExchangeRecord& record) {
  if (record.steps == nullptr) return;
  std::string steps;
  for (const ExchangeStep* step = record.steps; step != nullptr; step = step->next) {
    std::string entry(steps.empty() ? "" : " ");
    append_cut(entry, step->module, kNameBytesMax, AccessLogFormat::kText);
    entry.append(".").append(step->point).append("=").append(step->outcome).append("/");
    append_milliseconds(entry, step->took);
    if (steps.size() + entry.size() > kStepsBytesMax) break;
    steps += entry;
  }
  out.append(" modules=\"").append(steps).append("\"");
}

void append_json_steps(std::string& out, const ExchangeRecord& record) {
  if (record.steps == nullptr) return;
  std::string steps;
  for (const ExchangeStep* step = record.steps; step != nullptr; step = step->next) {
    std::string entry(steps.empty() ? "" : ",");
    entry += R"({"module":")";
    append_cut(entry, step->module, kNameBytesMax, AccessLogFormat::kJson);
    entry.append(R"(","attach_point":")").append(step->point);
    entry.append(R"(","outcome":")").append(step->outcome).append(R"(","duration_ms":)");
    append_milliseconds(entry, step->took);
    entry += '}';
    if (steps.size() + entry.size() > kStepsBytesMax) break;
    steps += entry;
  }
  out.append(R"(,"modules":[)").append(steps).append("]");
}

void append_text_line(std::string& out, const Exchange& exchange, Nanoseconds duration, LoggedQuery query,
                      SecondText& seconds) {
  constexpr AccessLogFormat kFormat = AccessLogFormat::kText;
  const ExchangeRecord& record = exchange.record;
  append_time(out, exchange.received_unix_ms, seconds);
  out += ' ';
  append_cut(out, client_of(exchange), kAddressBytesMax, kFormat);
  out += " \"";
  append_cut(out, exchange.request.method, kMethodBytesMax, kFormat);
  out += ' ';
  append_target(out, exchange, kFormat, query);
  out += exchange.request.minor_version < 1 ? " HTTP/1.0\" " : " HTTP/1.1\" ";
  append_number(out, record.status);
  out += ' ';
  append_number(out, record.response_bytes);
  out += ' ';
  append_milliseconds(out, duration);
  if (!record.upstream.empty()) {
    out += " upstream=";
    append_cut(out, record.upstream, kNameBytesMax, kFormat);
  }
  out += " id=";
  append_cut(out, exchange.id, kNameBytesMax, kFormat);
  out += " agent=\"";
  append_cut(out, exchange.request.fields.find("user-agent").value_or(""), kAgentBytesMax, kFormat);
  out += '"';
  if (!record.error.empty()) {
    out += " error=\"";
    append_cut(out, record.error, kNameBytesMax, kFormat);
    out += '"';
  }
  append_text_steps(out, record);
  out += '\n';
}

void append_json_line(std::string& out, const Exchange& exchange, Nanoseconds duration, LoggedQuery query,
                      SecondText& seconds) {
  constexpr AccessLogFormat kFormat = AccessLogFormat::kJson;
  const ExchangeRecord& record = exchange.record;
  out += R"({"time":")";
  append_time(out, exchange.received_unix_ms, seconds);
  out += R"(","client":")";
  append_cut(out, client_of(exchange), kAddressBytesMax, kFormat);
  out += R"(","method":")";
  append_cut(out, exchange.request.method, kMethodBytesMax, kFormat);
  out += R"(","target":")";
  append_target(out, exchange, kFormat, query);
  out += exchange.request.minor_version < 1 ? R"(","protocol":"HTTP/1.0","status":)"
                                            : R"(","protocol":"HTTP/1.1","status":)";
  append_number(out, record.status);
  out += R"(,"bytes":)";
  append_number(out, record.response_bytes);
  out += R"(,"duration_ms":)";
  append_milliseconds(out, duration);
  out += R"(,"upstream":")";
  append_cut(out, record.upstream, kNameBytesMax, kFormat);
  out += R"(","request_id":")";
  append_cut(out, exchange.id, kNameBytesMax, kFormat);
  out += R"(","user_agent":")";
  append_cut(out, exchange.request.fields.find("user-agent").value_or(""), kAgentBytesMax, kFormat);
  out += R"(","error":")";
  append_cut(out, record.error, kNameBytesMax, kFormat);
  out += '"';
  append_json_steps(out, record);
  out += "}\n";
}

}  // namespace

std::string_view SecondText::of(std::int64_t unix_seconds) {
  constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;
  constexpr std::size_t kSecondLength = 19;
  if (unix_seconds != second_) {
    second_ = unix_seconds;
    text_ = platform::format_rfc3339(unix_seconds * kNanosecondsPerSecond);
    text_.resize(kSecondLength);
  }
  return text_;
}

void append_access_line(std::string& out, const Exchange& exchange, Nanoseconds duration, AccessLogFormat format,
                        LoggedQuery query, SecondText& seconds) {
  switch (format) {
    case AccessLogFormat::kOff: return;
    case AccessLogFormat::kText: append_text_line(out, exchange, duration, query, seconds); return;
    case AccessLogFormat::kJson: append_json_line(out, exchange, duration, query, seconds); return;
  }
}

}  // namespace sandgate::telemetry
