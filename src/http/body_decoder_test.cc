// SPDX-License-Identifier: Apache-2.0
#include "http/body_decoder.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace sandgate::http {
namespace {

using Kind = BodyFraming::Kind;
using Step = BodyDecoder::Step;

struct Decoded {
  std::string content;
  std::string rest;  // bytes after the body
  std::string end;   // "end", "more" or the reason it is broken
};

// In pieces of `piece_bytes`.
Decoded decode(BodyDecoder& decoder, std::string_view bytes, std::size_t piece_bytes) {
  Decoded decoded;
  std::string buffer;
  while (true) {
    const Step step = decoder.decode(buffer);
    decoded.content += step.data;
    buffer.erase(0, step.consumed);
    if (step.kind == Step::Kind::kData) continue;
    if (step.kind == Step::Kind::kNeedMore && !bytes.empty()) {
      buffer += bytes.substr(0, piece_bytes);
      bytes.remove_prefix(std::min(piece_bytes, bytes.size()));
      continue;
    }
    decoded.rest = buffer + std::string(bytes);
    decoded.end = step.kind == Step::Kind::kEnd        ? "end"
                  : step.kind == Step::Kind::kNeedMore ? "more"
                                                       : std::string(step.reason);
    return decoded;
  }
}

Decoded decode_chunked(std::string_view bytes, std::size_t piece_bytes = std::string_view::npos) {
  Arena arena;
  BodyDecoder decoder({Kind::kChunked, 0}, arena);
  return decode(decoder, bytes, piece_bytes);
}

TEST(BodyDecoder, EndsAtOnceWithoutABody) {
  Arena arena;
  for (BodyFraming framing : {BodyFraming{Kind::kNone, 0}, BodyFraming{Kind::kLength, 0}}) {
    BodyDecoder decoder(framing, arena);
    EXPECT_TRUE(decoder.ended());
    EXPECT_TRUE(decoder.finish());
    const Step step = decoder.decode("next");
    EXPECT_EQ(step.kind, Step::Kind::kEnd);
    EXPECT_EQ(step.consumed, 0U);
  }
}

TEST(BodyDecoder, TakesExactlyTheLength) {
  Arena arena;
  for (std::size_t piece : {1U, 2U, 3U, 100U}) {
    BodyDecoder decoder({Kind::kLength, 5}, arena);
    EXPECT_EQ(decoder.remaining(), 5U);
    const Decoded decoded = decode(decoder, "12345next", piece);
    EXPECT_EQ(decoded.content, "12345");
    EXPECT_EQ(decoded.rest, "next");
    EXPECT_EQ(decoded.end, "end");
    EXPECT_EQ(decoder.remaining(), 0U);
  }
}

TEST(BodyDecoder, IsNotFinishedWhenTheConnectionEndsEarly) {
  Arena arena;
  BodyDecoder length({Kind::kLength, 5}, arena);
  EXPECT_EQ(length.decode("123").data, "123");
  EXPECT_EQ(length.remaining(), 2U);
  EXPECT_FALSE(length.finish());
  BodyDecoder chunked({Kind::kChunked, 0}, arena);
  EXPECT_FALSE(chunked.finish());
}

TEST(BodyDecoder, TakesEverythingUntilClose) {
  Arena arena;
  BodyDecoder decoder({Kind::kUntilClose, 0}, arena);
  EXPECT_EQ(decode(decoder, "anything\r\n", 3).content, "anything\r\n");
  EXPECT_FALSE(decoder.ended());
  EXPECT_TRUE(decoder.finish());
  EXPECT_EQ(decoder.decode("late").kind, Step::Kind::kEnd);
}

TEST(BodyDecoder, GivesChunksInViewsOfTheInput) {
  Arena arena;
  BodyDecoder decoder({Kind::kChunked, 0}, arena);
  const std::string_view input = "5;x=y\r\nhello\r\n0\r\n\r\nnext";
  const Step data = decoder.decode(input);
  EXPECT_EQ(data.kind, Step::Kind::kData);
  EXPECT_EQ(data.data, "hello");
  EXPECT_EQ(data.data.data(), input.data() + 7);
  EXPECT_EQ(data.consumed, 12U);
  EXPECT_EQ(decoder.remaining(), 0U) << "unknown in advance";
  const Step end = decoder.decode(input.substr(12));
  EXPECT_EQ(end.kind, Step::Kind::kEnd);
  EXPECT_EQ(input.substr(12 + end.consumed), "next");
  EXPECT_TRUE(decoder.ended());
  EXPECT_EQ(decoder.trailers(), nullptr);
}

TEST(BodyDecoder, DecodesTheSameInPiecesOfAnySize) {
  const std::string bytes = "3\r\nabc\r\n10;ext\r\n0123456789abcdef\r\n1\r\n\n\r\n0\r\nA: b\r\nC: d\r\n\r\nnext";
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    const Decoded decoded = decode_chunked(bytes, piece);
    EXPECT_EQ(decoded.content, "abc0123456789abcdef\n") << piece;
    EXPECT_EQ(decoded.rest, "next") << piece;
    EXPECT_EQ(decoded.end, "end") << piece;
  }
}

TEST(BodyDecoder, BoundsTheExtensionsOfABodyTogether) {
  const std::string chunk = "1;" + std::string(127, 'e') + "\r\na\r\n";
  EXPECT_EQ(decode_chunked(chunk + chunk + "0\r\n\r\n").end, "end");
  EXPECT_TRUE(decode_chunked(chunk + chunk + "0;\r\n\r\n").end.starts_with("the chunk extensions"));
  EXPECT_TRUE(decode_chunked("1;" + std::string(256, 'e')).end.starts_with("the chunk extensions"));
}

TEST(BodyDecoder, BoundsTheTrailerSection) {
  const std::string fits = "0\r\nX: " + std::string(kTrailerBytesMax - 5, 'a') + "\r\n\r\n";
  const std::string longer = "0\r\nX: " + std::string(kTrailerBytesMax - 2, 'a') + "\r\n\r\n";
  for (std::size_t piece : {std::size_t{1}, std::size_t{1000}, std::string::npos}) {
    EXPECT_EQ(decode_chunked(fits, piece).end, "end");
    EXPECT_TRUE(decode_chunked(longer, piece).end.starts_with("the trailer section is too large"));
  }
  EXPECT_TRUE(decode_chunked("0\r\nX: " + std::string(kTrailerBytesMax - 2, 'a'))
                  .end.starts_with("the trailer section is too large"));
  const std::string half = "X: " + std::string(kTrailerBytesMax / 2, 'a') + "\r\n";
  EXPECT_TRUE(decode_chunked("0\r\n" + half + half + "\r\n").end.starts_with("the trailer section is too large"));
  std::string lines;
  for (std::size_t i = 0; i < kTrailerFieldsMax; ++i) lines += "X: y\r\n";
  EXPECT_EQ(decode_chunked("0\r\n" + lines + "\r\n").end, "end");
  EXPECT_TRUE(decode_chunked("0\r\n" + lines + "X: y\r\n\r\n").end.starts_with("the trailer section has too many"));
}

TEST(BodyDecoder, KeepsTrailersThatDecideNothing) {
  Arena arena;
  BodyDecoder decoder({Kind::kChunked, 0}, arena);
  std::string bytes = "0\r\nGrpc-Status: 0\r\nETag: \"x\"\r\n";
  for (std::string_view name : {"Content-Length",
                                "Transfer-Encoding",
                                "Host",
                                "Connection",
                                "TE",
                                "Trailer",
                                "Upgrade",
                                "Authorization",
                                "Cookie",
                                "Set-Cookie",
                                "WWW-Authenticate",
                                "Proxy-Anything",
                                "Proxy-Authorization",
                                "Content-Type",
                                "Content-Encoding",
                                "Content-Range",
                                "Cache-Control",
                                "Expect",
                                "Range",
                                "If-Match",
                                "Location",
                                "Vary",
                                "X-Forwarded-For",
                                "Forwarded",
                                "X-Real-IP",
                                "X-Request-Id",
                                "Via",
                                "Date"}) {
    bytes += std::string(name) + ": dropped\r\n";
  }
  EXPECT_EQ(decode(decoder, bytes + "\r\n", 7).end, "end");
  ASSERT_NE(decoder.trailers(), nullptr);
  ASSERT_EQ(decoder.trailers()->size(), 2U);
  EXPECT_EQ(decoder.trailers()->find("grpc-status"), "0");
  EXPECT_EQ(decoder.trailers()->find("etag"), "\"x\"");
}

TEST(BodyDecoder, StaysBroken) {
  Arena arena;
  BodyDecoder decoder({Kind::kChunked, 0}, arena);
  EXPECT_EQ(decoder.decode("z").kind, Step::Kind::kBroken);
  EXPECT_EQ(decoder.decode("0\r\n\r\n").kind, Step::Kind::kBroken);
  EXPECT_FALSE(decoder.decode("").reason.empty());
  EXPECT_FALSE(decoder.finish());
  EXPECT_FALSE(decoder.ended());
}

TEST(BodyDecoder, AcceptsTheLargestChunkAndNoLarger) {
  EXPECT_EQ(decode_chunked("4000000000000000\r\nabc").end, "more");
  EXPECT_TRUE(decode_chunked("4000000000000001\r\nabc").end.starts_with("a chunk is too large"));
}

TEST(WriteChunkHead, WritesHexAndCrlf) {
  auto written = [](std::uint64_t bytes) {
    std::array<char, kChunkHeadBytesMax> to;
    return std::string(to.data(), write_chunk_head(bytes, to.data()));
  };
  EXPECT_EQ(written(1), "1\r\n");
  EXPECT_EQ(written(15), "f\r\n");
  EXPECT_EQ(written(16), "10\r\n");
  EXPECT_EQ(written(65536), "10000\r\n");
  EXPECT_EQ(written(0xfedcba9876543210), "fedcba9876543210\r\n");
}

TEST(WriteChunkHead, IsReadBack) {
  std::array<char, kChunkHeadBytesMax> head;
  std::string bytes;
  std::string content;
  for (std::size_t size : {1U, 9U, 10U, 255U, 256U, 4096U}) {
    bytes.append(head.data(), write_chunk_head(size, head.data()));
    bytes += std::string(size, 'x') + "\r\n";
    content += std::string(size, 'x');
  }
  const Decoded decoded = decode_chunked(bytes + std::string(kLastChunk) + "next");
  EXPECT_EQ(decoded.content, content);
  EXPECT_EQ(decoded.rest, "next");
}

}  // namespace
}  // namespace sandgate::http
