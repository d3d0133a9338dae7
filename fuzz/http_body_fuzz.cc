// SPDX-License-Identifier: Apache-2.0
//
// The first two bytes choose the framing and where the input is cut; the rest is a body and what follows. It is decoded
// to the same content and the same end whole, cut and byte by byte; and the content, written as chunks, is decoded to
// itself.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "http/body_decoder.h"
#include "http/testing/guarded_input.h"
#include "http/testing/transcript.h"

namespace {

using namespace sandgate;
using http::BodyDecoder;
using http::BodyFraming;

std::string decoded(BodyFraming framing, std::string_view bytes, std::size_t first, std::size_t then) {
  static http::testing::GuardedInput input(8192);
  Arena arena;
  BodyDecoder decoder(framing, arena);
  std::string buffer;
  std::string content;
  std::size_t piece = first;
  while (true) {
    const BodyDecoder::Step step = decoder.decode(input.place(buffer));
    SANDGATE_CHECK(step.consumed <= buffer.size());
    content += step.data;
    input.spoil();
    buffer.erase(0, step.consumed);
    if (step.kind == BodyDecoder::Step::Kind::kData) continue;
    if (step.kind == BodyDecoder::Step::Kind::kBroken) return "[" + content + "] " + std::string(step.reason);
    if (step.kind == BodyDecoder::Step::Kind::kEnd) break;
    if (bytes.empty()) return "[" + content + (decoder.finish() ? "] closed" : "] unfinished");
    buffer += bytes.substr(0, piece);
    bytes.remove_prefix(std::min(piece, bytes.size()));
    piece = then;
  }
  std::string text = "[" + content + "] then [" + buffer + std::string(bytes) + "]";
  if (decoder.trailers() != nullptr) text += http::testing::describe(*decoder.trailers());
  return text;
}

void check_written_again(std::string_view content, std::size_t chunk_bytes) {
  std::string bytes;
  for (std::string_view rest = content; !rest.empty();) {
    const std::string_view piece = rest.substr(0, chunk_bytes);
    std::array<char, http::kChunkHeadBytesMax> head;
    bytes.append(head.data(), http::write_chunk_head(piece.size(), head.data()));
    bytes.append(piece).append("\r\n");
    rest.remove_prefix(piece.size());
  }
  // A chunk of one byte takes six.
  if (bytes.size() > 8000) return;
  bytes += http::kLastChunk;
  const std::string expected = "[" + std::string(content) + "] then []";
  SANDGATE_CHECK(decoded({BodyFraming::Kind::kChunked, 0}, bytes, bytes.size(), 1) == expected);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > 4096) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  BodyFraming framing{BodyFraming::Kind::kChunked, 0};
  if (data[0] % 8 == 1) framing = {BodyFraming::Kind::kLength, data[0] / 8U};
  if (data[0] % 8 == 2) framing = {BodyFraming::Kind::kUntilClose, 0};
  if (data[0] % 8 == 3) framing = {BodyFraming::Kind::kNone, 0};
  const std::string whole = decoded(framing, bytes, size, size);
  SANDGATE_CHECK(decoded(framing, bytes, 1 + data[1] % size, size) == whole);
  SANDGATE_CHECK(decoded(framing, bytes, 1, 1) == whole);
  check_written_again(bytes, 1 + data[1] / 8U);
  return 0;
}
