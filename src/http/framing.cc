// SPDX-License-Identifier: Apache-2.0
#include "http/framing.h"

#include <algorithm>

#include "base/ascii.h"

namespace sandgate::http {
namespace {

Refusal refuse_transfer_encoding(std::string_view value) {
  // Only a well-formed list that is legal but not understood is worth a 501: the sender may try again without the
  // coding.
  std::size_t codings = 0;
  std::size_t chunked = 0;
  bool malformed = false;
  bool last_is_chunked = false;
  for_each_list_element(value, [&](std::string_view element) {
    const std::string_view coding = trimmed(element.substr(0, element.find(';')));
    malformed |= !is_token(coding);
    last_is_chunked = equals_ignoring_case(coding, "chunked");
    chunked += last_is_chunked ? 1 : 0;
    ++codings;
  });
  // Not exactly "chunked", yet nothing but chunked: a parameter or an empty element. Chunked twice or before another:
  // RFC 9112 section 6.1.
  if (malformed || chunked == codings || chunked > 1 || (chunked == 1 && !last_is_chunked)) {
    return {400, "the Transfer-Encoding field is malformed; send exactly `chunked`"};
  }
  return {501, "a transfer coding is not supported; send `chunked` alone"};
}

}  // namespace

std::optional<std::uint64_t> parse_content_length(std::string_view value) {
  if (value.empty() || value.size() > kContentLengthDigitsMax || !std::ranges::all_of(value, ascii_digit))
    return std::nullopt;
  std::uint64_t length = 0;
  for (char digit : value) length = length * 10 + static_cast<std::uint64_t>(digit - '0');
  return length;
}

HeadFacts HeadFacts::gather(const Fields& fields) {
  HeadFacts facts;
  auto count = [](std::size_t& lines, std::string_view& first, std::string_view value) {
    if (lines++ == 0) first = value;
  };
  for (const Field& field : fields) {
    switch (field.id) {
      case FieldId::kHost: count(facts.hosts, facts.host, field.value); break;
      case FieldId::kContentLength: count(facts.content_lengths, facts.content_length, field.value); break;
      case FieldId::kTransferEncoding: count(facts.transfer_encodings, facts.transfer_encoding, field.value); break;
      case FieldId::kConnection:
        facts.connection_options += 1 + static_cast<std::size_t>(std::ranges::count(field.value, ','));
        break;
      default: break;
    }
  }
  return facts;
}

std::optional<Refusal> read_framing(const HeadFacts& facts, int minor_version, BodyFraming& framing) {
  framing = {};
  if (facts.connection_options > kConnectionOptionsMax) {
    return Refusal{400, "the Connection field has too many options; send `close` or `keep-alive`"};
  }
  if (facts.content_lengths > 1) return Refusal{400, "Content-Length appears more than once; send it once"};
  if (facts.transfer_encodings > 0) {
    if (facts.content_lengths > 0)
      return Refusal{400, "both Content-Length and Transfer-Encoding are present; send one of them"};
    if (facts.transfer_encodings > 1)
      return Refusal{400, "Transfer-Encoding appears more than once; send exactly `chunked`, once"};
    if (minor_version == 0) return Refusal{400, "HTTP/1.0 has no Transfer-Encoding; send Content-Length, or HTTP/1.1"};
    if (!equals_ignoring_case(facts.transfer_encoding, "chunked"))
      return refuse_transfer_encoding(facts.transfer_encoding);
    framing.kind = BodyFraming::Kind::kChunked;
    return std::nullopt;
  }
  if (facts.content_lengths == 0) return std::nullopt;
  const std::optional<std::uint64_t> length = parse_content_length(facts.content_length);
  if (!length) return Refusal{400, "Content-Length is not a plain number; send 1 to 18 digits and nothing else"};
  framing = {BodyFraming::Kind::kLength, *length};
  return std::nullopt;
}

}  // namespace sandgate::http
