// SPDX-License-Identifier: Apache-2.0
#include "telemetry/access_line.h"

#include <algorithm>
#include <array>
#include <charconv>

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

bool is_plain(std::string_view text) {
  bool plain = true;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    plain = plain && byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\';
  }
  return plain;
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

void append_three_digits(std::string& out, std::int64_t value) {
  out += static_cast<char>('0' + value / 100 % 10);
  out += static_cast<char>('0' + value / 10 % 10);
  out += static_cast<char>('0' + value % 10);
}

void append_time(std::string& out, std::int64_t unix_ms, SecondText& seconds) {
  unix_ms = std::max<std::int64_t>(unix_ms, 0);
  out += seconds.of(unix_ms / 1000);
  out += '.';
  append_three_digits(out, unix_ms % 1000);
  out += 'Z';
}

void append_milliseconds(std::string& out, Nanoseconds duration) {
  std::int64_t us = std::max<std::int64_t>(duration.count(), 0) / 1000;
  append_number(out, us / 1000);
  out += '.';
  append_three_digits(out, us % 1000);
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
  out += "\"}\n";
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
