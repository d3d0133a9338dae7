// SPDX-License-Identifier: Apache-2.0
#include "http/head_block.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/check.h"
#include "http/byte_class.h"
#include "http/field_line.h"

namespace sandgate::http {
namespace {

// Lines that the gateway itself adds to most requests, so that the list does not grow a second time.
constexpr std::size_t kFieldsAdded = 8;

}  // namespace

Refusal refusal_of(HeadSearch::Outcome outcome) {
  using enum HeadSearch::Outcome;
  switch (outcome) {
    case kBareCr: return {400, "a CR stands without LF; end each line with CRLF"};
    case kBareLf: return {400, "an LF stands without CR; end each line with CRLF"};
    case kControlByte: return {400, "the head has a control byte; send text only"};
    case kEmptyLines: return {400, "empty lines stand before the head; begin with the start line"};
    case kStartLineTooLong: return {414, "the request line is too long; send a shorter target"};
    case kHeadTooLong: return {431, "the head is too large; send fewer or shorter fields"};
    case kTooManyFields: return {431, "the head has too many field lines; send fewer"};
    case kNeedMore:
    case kFound: break;
  }
  SANDGATE_CHECK(false);
}

std::optional<Refusal> read_head_block(std::string_view buffer, const HeadSearch& search, Fields& fields,
                                       std::string_view& start_line) {
  const std::string_view head = fields.arena().copy(buffer.substr(search.start(), search.end() - search.start()));
  fields.clear();
  fields.reserve(search.lines() + kFieldsAdded);
  start_line = head.substr(0, search.line_end(0));
  std::size_t begin = start_line.size() + 2;
  for (std::size_t line = 1; line < search.lines(); ++line) {
    std::size_t end = 0;
    if (line < HeadSearch::kLinesNoted) {
      end = search.line_end(line);
    } else {
      // The search left no control bytes but the CRLFs.
      end = static_cast<std::size_t>(find_control(head.data() + begin, head.data() + head.size()) - head.data());
    }
    Field field;
    const std::string_view wrong = parse_field_line(head.substr(begin, end - begin), field);
    if (!wrong.empty()) return Refusal{400, wrong};
    fields.add(field);
    begin = end + 2;
  }
  return std::nullopt;
}

std::optional<Refusal> read_version(std::string_view text, int& minor_version) {
  if (text.size() != 8 || !text.starts_with("HTTP/") || !ascii_digit(text[5]) || text[6] != '.' ||
      !ascii_digit(text[7])) {
    return Refusal{400, "the version is malformed; send `HTTP/1.1`"};
  }
  if (text[5] != '1') return Refusal{505, "this version of HTTP is not spoken here; send `HTTP/1.1`"};
  minor_version = text[7] == '0' ? 0 : 1;
  return std::nullopt;
}

bool wants_keep_alive(const Fields& fields, int minor_version) {
  bool close = false;
  bool keep_alive = minor_version >= 1;
  for (const Field& field : fields) {
    if (field.id != FieldId::kConnection) continue;
    for_each_list_element(field.value, [&](std::string_view option) {
      if (equals_ignoring_case(option, "close")) close = true;
      if (equals_ignoring_case(option, "keep-alive")) keep_alive = true;
    });
  }
  return keep_alive && !close;
}

}  // namespace sandgate::http
