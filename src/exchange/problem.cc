// SPDX-License-Identifier: Apache-2.0
#include "exchange/problem.h"

#include <array>
#include <charconv>
#include <cstddef>

#include "http/head_writer.h"

namespace sandgate {
namespace {

// What a client that met a full queue may wait; queues here empty within a second or not at all.
constexpr int kRetryAfterOverloadSeconds = 1;

std::string_view copy_number(Arena& arena, int number) {
  std::array<char, 12> digits;
  auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  return arena.copy({digits.data(), static_cast<std::size_t>(end - digits.data())});
}

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

// Length of the well-formed UTF-8 sequence at the start of `text`, which begins with a byte above 0x7f; 0 when there is
// none. Then
// `*broken` is how many bytes one U+FFFD stands for (the longest prefix of a sequence: Unicode 15, section 3.9).
std::size_t sequence_length(std::string_view text, std::size_t* broken) {
  *broken = 1;
  auto lead = static_cast<unsigned char>(text[0]);
  std::size_t length = lead >= 0xc2 && lead <= 0xdf   ? 2
                       : lead >= 0xe0 && lead <= 0xef ? 3
                       : lead >= 0xf0 && lead <= 0xf4 ? 4
                                                      : 0;
  if (length == 0 || text.size() < 2) return 0;
  // Overlong forms, surrogates and code points above 0x10ffff are told by the second byte.
  auto second = static_cast<unsigned char>(text[1]);
  unsigned low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  unsigned high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    *broken = i;
    if (i >= text.size() || !is_continuation(text[i])) return 0;
  }
  return length;
}

bool is_plain(char c) {
  auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\';
}

void append_escape(std::string& out, char c) {
  constexpr std::string_view kHexDigits = "0123456789abcdef";
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  auto byte = static_cast<unsigned char>(c);
  out += "\\u00";
  out += kHexDigits[byte >> 4];
  out += kHexDigits[byte & 15];
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  out += ",\"";
  out += name;
  out += "\":\"";
  append_json_string(out, value);
  out += '"';
}

}  // namespace

int status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalid: return 400;
    case ErrorKind::kDenied: return 403;
    case ErrorKind::kNotFound: return 404;
    case ErrorKind::kTooLarge: return 413;
    case ErrorKind::kOverloaded: return 503;
    case ErrorKind::kTimedOut: return 504;
    case ErrorKind::kDisconnected: return 502;
    case ErrorKind::kUpstream: return 502;
    case ErrorKind::kGuestFault: return 503;
    case ErrorKind::kUnsupported: return 501;
    case ErrorKind::kInternal: return 500;
  }
  return 500;
}

void append_json_string(std::string& out, std::string_view text) {
  while (!text.empty()) {
    std::size_t plain = 0;
    while (plain < text.size() && is_plain(text[plain])) ++plain;
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) return;
    std::size_t taken = 1;
    if (static_cast<unsigned char>(text[0]) < 0x80) {
      append_escape(out, text[0]);
    } else if (std::size_t length = sequence_length(text, &taken); length != 0) {
      out.append(text.substr(0, length));
      taken = length;
    } else {
      out += "\xef\xbf\xbd";
    }
    text.remove_prefix(taken);
  }
}

std::string problem_json(const Problem& problem, std::string_view request_id) {
  std::string out;
  out.reserve(256 + 2 * problem.detail.size());
  out += R"({"type":"about:blank")";
  append_member(out, "title", http::reason_phrase(problem.status));
  out += ",\"status\":";
  out += std::to_string(problem.status);
  append_member(out, "detail", problem.detail);
  append_member(out, "request_id", request_id);
  append_member(out, "error", problem.error);
  append_member(out, "message", problem.detail);
  out += "}\n";
  return out;
}

Task<Status> respond(Exchange& exchange, int status, std::string_view content_type, std::string_view body,
                     const http::Fields* extra) {
  if (http::status_forbids_body(status)) body = {};
  http::ResponseHead head(exchange.arena());
  head.status = status;
  if (!content_type.empty()) head.fields.add("content-type", content_type);
  if (!exchange.id.empty()) head.fields.add({"x-request-id", exchange.id, http::FieldId::kXRequestId});
  if (extra != nullptr) {
    for (const http::Field& field : *extra) head.fields.add(field);
  }
  Status done = co_await exchange.sink().start(head, body.size());
  if (!done) co_return done;
  exchange.record.status = status;
  if (!body.empty()) {
    done = co_await exchange.sink().write(body);
    if (!done) co_return done;
  }
  done = co_await exchange.sink().finish(nullptr);
  co_return done;
}

Task<Status> respond_problem(Exchange& exchange, const Problem& problem) {
  Arena& arena = exchange.arena();
  if (exchange.record.error.empty()) exchange.record.error = arena.copy(problem.error);
  http::Fields extra(arena);
  extra.add("cache-control", "no-store");
  if (problem.retry_after_s > 0) extra.add("retry-after", copy_number(arena, problem.retry_after_s));
  if (!problem.allow.empty()) extra.add("allow", problem.allow);
  if (!problem.authenticate.empty()) extra.add("www-authenticate", problem.authenticate);
  std::string body = problem_json(problem, exchange.id);
  Status done = co_await respond(exchange, problem.status, "application/problem+json", body, &extra);
  co_return done;
}

Task<Status> respond_error(Exchange& exchange, const Error& error) {
  if (exchange.sink().committed()) {
    exchange.sink().abort();
    co_return fail(error);
  }
  Problem problem;
  problem.status = status_of(error.kind);
  problem.error = error_kind_name(error.kind);
  problem.detail = error.detail;
  if (error.kind == ErrorKind::kOverloaded) problem.retry_after_s = kRetryAfterOverloadSeconds;
  Status done = co_await respond_problem(exchange, problem);
  co_return done;
}

}  // namespace sandgate
