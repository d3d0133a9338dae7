// SPDX-License-Identifier: Apache-2.0
#include "http/body_decoder.h"

#include <algorithm>
#include <new>

#include "base/ascii.h"
#include "http/byte_class.h"
#include "http/field_line.h"
#include "http/hop_by_hop.h"

namespace sandgate::http {
namespace {

constexpr std::uint64_t kChunkBytesMax = std::uint64_t{1} << 62;

// RFC 9110 section 6.5.1: fields that frame, route, authenticate, modify the request or describe the content come too
// late in a trailer, and a recipient that merges trailers into the head would be misled.
bool is_allowed_in_trailers(const Field& field) {
  switch (field.id) {
    case FieldId::kAuthorization:
    case FieldId::kContentType:
    case FieldId::kCookie:
    case FieldId::kDate:
    case FieldId::kForwarded:
    case FieldId::kHost:
    case FieldId::kOrigin:
    case FieldId::kSecFetchSite:
    case FieldId::kSecWebSocketAccept:
    case FieldId::kSecWebSocketKey:
    case FieldId::kSetCookie:
    case FieldId::kVia:
    case FieldId::kXForwardedFor:
    case FieldId::kXForwardedHost:
    case FieldId::kXForwardedOther:
    case FieldId::kXForwardedPort:
    case FieldId::kXForwardedProto:
    case FieldId::kXRealIp:
    case FieldId::kXRequestId: return false;
    default: break;
  }
  if (is_gateways_own(field.id, field.name)) return false;
  static constexpr std::string_view kNames[] = {
      "age",         "cache-control", "content-encoding",    "content-location", "content-range",
      "expires",     "if-match",      "if-modified-since",   "if-none-match",    "if-range",
      "location",    "max-forwards",  "if-unmodified-since", "pragma",           "range",
      "retry-after", "vary",          "www-authenticate",
  };
  return std::ranges::none_of(kNames,
                              [&field](std::string_view name) { return equals_ignoring_case(field.name, name); });
}

}  // namespace

BodyDecoder::BodyDecoder(BodyFraming framing, Arena& arena) : arena_(&arena) {
  switch (framing.kind) {
    case BodyFraming::Kind::kNone: break;
    case BodyFraming::Kind::kLength:
      remaining_ = framing.length;
      if (remaining_ != 0) state_ = State::kLength;
      break;
    case BodyFraming::Kind::kChunked: state_ = State::kChunkSize; break;
    case BodyFraming::Kind::kUntilClose: state_ = State::kUntilClose; break;
  }
}

BodyDecoder::Step BodyDecoder::decode(std::string_view input) {
  if (state_ == State::kEnded) return {Step::Kind::kEnd, 0, {}, {}};
  if (state_ == State::kBroken) return broken(reason_);
  if (input.empty()) return {};
  if (state_ == State::kUntilClose) return {Step::Kind::kData, input.size(), input, {}};
  if (state_ == State::kLength) return take_data(input, 0);
  return decode_chunked(input);
}

bool BodyDecoder::finish() {
  if (state_ == State::kUntilClose) state_ = State::kEnded;
  return state_ == State::kEnded;
}

BodyDecoder::Step BodyDecoder::take_data(std::string_view input, std::size_t consumed) {
  const std::size_t bytes = static_cast<std::size_t>(std::min<std::uint64_t>(input.size() - consumed, remaining_));
  remaining_ -= bytes;
  if (remaining_ == 0) state_ = state_ == State::kLength ? State::kEnded : State::kChunkDataCr;
  return {Step::Kind::kData, consumed + bytes, input.substr(consumed, bytes), {}};
}

BodyDecoder::Step BodyDecoder::decode_chunked(std::string_view input) {
  std::size_t consumed = 0;
  while (consumed < input.size()) {
    if (state_ == State::kChunkData) return take_data(input, consumed);
    if (state_ == State::kTrailers) return decode_trailers(input, consumed);
    const std::string_view wrong = take_frame_byte(input[consumed]);
    if (!wrong.empty()) return broken(wrong);
    ++consumed;
  }
  return {Step::Kind::kNeedMore, consumed, {}, {}};
}

std::string_view BodyDecoder::take_frame_byte(char byte) {
  switch (state_) {
    case State::kChunkSize: return take_size_byte(byte);
    case State::kChunkExtension:
      if (byte == '\r') {
        state_ = State::kChunkSizeLf;
        return {};
      }
      if (is_byte(byte, kControlByte)) return "a chunk extension has a control byte; end the line with CRLF";
      if (++extension_bytes_ > kChunkExtensionBytesMax) return "the chunk extensions are too long; send none";
      return {};
    case State::kChunkSizeLf:
      if (byte != '\n') return "a chunk size does not end with CRLF";
      state_ = remaining_ == 0 ? State::kTrailers : State::kChunkData;
      size_digits_ = 0;
      return {};
    case State::kChunkDataCr:
      if (byte != '\r') return "a chunk is longer than its size says; end it with CRLF";
      state_ = State::kChunkDataLf;
      return {};
    case State::kChunkDataLf:
      if (byte != '\n') return "a chunk does not end with CRLF";
      state_ = State::kChunkSize;
      return {};
    default: return "the body is over";
  }
}

std::string_view BodyDecoder::take_size_byte(char byte) {
  if (is_byte(byte, kHexByte)) {
    if (++size_digits_ > kChunkSizeDigitsMax) return "a chunk size has too many digits; send at most 16";
    // Sixteen digits fill the 64 bits; more never come here.
    remaining_ = remaining_ * 16 + hex_value(byte);
    return {};
  }
  if (size_digits_ == 0) return "a chunk size is missing; send it as hex digits";
  if (remaining_ > kChunkBytesMax) return "a chunk is too large; send smaller ones";
  if (byte == '\r') {
    state_ = State::kChunkSizeLf;
    return {};
  }
  if (byte != ';') return "a chunk size has a byte that is no hex digit; end it with CRLF";
  if (++extension_bytes_ > kChunkExtensionBytesMax) return "the chunk extensions are too long; send none";
  state_ = State::kChunkExtension;
  return {};
}

BodyDecoder::Step BodyDecoder::decode_trailers(std::string_view input, std::size_t consumed) {
  while (true) {
    const std::string_view rest = input.substr(consumed);
    const char* const end = rest.data() + rest.size();
    const auto line_end = static_cast<std::size_t>(find_control(rest.data() + line_searched_, end) - rest.data());
    if (trailer_bytes_ + line_end > kTrailerBytesMax)
      return broken("the trailer section is too large; send fewer or shorter fields");
    line_searched_ = line_end;
    if (line_end == rest.size() || (rest[line_end] == '\r' && line_end + 1 == rest.size())) {
      return {Step::Kind::kNeedMore, consumed, {}, {}};
    }
    if (rest[line_end] != '\r') return broken("the trailer section has a control byte; end each line with CRLF");
    if (rest[line_end + 1] != '\n') return broken("a CR stands without LF; end each line with CRLF");
    line_searched_ = 0;
    consumed += line_end + 2;
    if (line_end == 0) {
      state_ = State::kEnded;
      return {Step::Kind::kEnd, consumed, {}, {}};
    }
    trailer_bytes_ += line_end + 2;
    const std::string_view wrong = take_trailer_line(rest.substr(0, line_end));
    if (!wrong.empty()) return broken(wrong);
  }
}

std::string_view BodyDecoder::take_trailer_line(std::string_view line) {
  if (++trailer_lines_ > kTrailerFieldsMax) return "the trailer section has too many lines; send fewer";
  Field field;
  const std::string_view wrong = parse_field_line(line, field);
  if (!wrong.empty()) return wrong;
  if (!is_allowed_in_trailers(field)) return {};
  if (trailers_ == nullptr) {
    trailers_ = ::new (arena_->allocate(sizeof(Fields), alignof(Fields))) Fields(*arena_);
  }
  trailers_->add_copy(field.name, field.value);
  return {};
}

BodyDecoder::Step BodyDecoder::broken(std::string_view reason) {
  state_ = State::kBroken;
  reason_ = reason;
  return {Step::Kind::kBroken, 0, {}, reason};
}

std::size_t write_chunk_head(std::uint64_t bytes, char* to) {
  static constexpr char kHex[] = "0123456789abcdef";
  unsigned digits = 1;
  for (std::uint64_t rest = bytes >> 4; rest != 0; rest >>= 4) ++digits;
  for (unsigned i = digits; i > 0; --i) {
    to[i - 1] = kHex[bytes & 15];
    bytes >>= 4;
  }
  to[digits] = '\r';
  to[digits + 1] = '\n';
  return digits + 2;
}

}  // namespace sandgate::http
