// SPDX-License-Identifier: Apache-2.0
#include "gateway/trace_context.h"

#include <algorithm>
#include <string>

#include "base/ascii.h"

namespace sandgate::gateway {
namespace {

constexpr std::string_view kTraceparent = "traceparent";
constexpr std::string_view kTracestate = "tracestate";
constexpr std::size_t kTraceIdDigits = 32;
constexpr std::size_t kParentIdDigits = 16;
constexpr std::size_t kVersion0Bytes = 55;

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return ascii_digit(c) || (c >= 'a' && c <= 'f'); });
}

bool is_id(std::string_view text) { return is_hex(text) && text.find_first_not_of('0') != std::string_view::npos; }

std::string next_digits(platform::RequestIds& ids) {
  std::string digits(platform::RequestIds::kLength, '0');
  ids.next(digits.data());
  return digits;
}

}  // namespace

bool is_traceparent(std::string_view value) {
  if (value.size() < kVersion0Bytes || value[2] != '-' || value[35] != '-' || value[52] != '-') return false;
  std::string_view version = value.substr(0, 2);
  if (!is_hex(version) || version == "ff") return false;
  if (version == "00" ? value.size() != kVersion0Bytes : value.size() > kVersion0Bytes && value[kVersion0Bytes] != '-')
    return false;
  return is_id(value.substr(3, kTraceIdDigits)) && is_id(value.substr(36, kParentIdDigits)) &&
         is_hex(value.substr(53, 2));
}

void begin_trace(Exchange& exchange, platform::RequestIds& ids) {
  http::Fields& fields = exchange.request.fields;
  std::size_t lines = 0;
  std::string_view given;
  for (const http::Field& field : fields) {
    if (!equals_ignoring_case(field.name, kTraceparent)) continue;
    ++lines;
    given = field.value;
  }
  if (lines == 1 && is_traceparent(given)) return;
  fields.remove(kTraceparent);
  fields.remove(kTracestate);
  std::string trace_id(exchange.id);
  if (trace_id.size() != kTraceIdDigits || !is_id(trace_id)) trace_id = next_digits(ids);
  // The second half of an id differs from one to the next; the first is the source's.
  std::string parent_id = next_digits(ids).substr(platform::RequestIds::kLength - kParentIdDigits);
  fields.add_copy(kTraceparent, "00-" + trace_id + "-" + parent_id + "-01");
}

}  // namespace sandgate::gateway
