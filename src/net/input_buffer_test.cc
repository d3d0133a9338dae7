// SPDX-License-Identifier: Apache-2.0
#include "net/input_buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>

namespace sandgate::net {
namespace {

// Puts all of `text` in, in reads as the buffer offers room for them. False when there is no room.
bool receive(InputBuffer& buffer, std::string_view text) {
  while (!text.empty()) {
    std::span<char> room = buffer.prepare();
    if (room.empty()) return false;
    std::size_t count = std::min(room.size(), text.size());
    std::memcpy(room.data(), text.data(), count);
    buffer.commit(count);
    text.remove_prefix(count);
  }
  return true;
}

std::string pattern(std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>('a' + i % 23);
  return text;
}

class InputBufferTest : public ::testing::Test {
 protected:
  BufferPool pool;
  InputBuffer buffer{pool};
};

TEST_F(InputBufferTest, IsEmptyAtFirst) { EXPECT_EQ(buffer.bytes(), ""); }

TEST_F(InputBufferTest, JoinsWhatCameInPieces) {
  EXPECT_TRUE(receive(buffer, "GET / HT"));
  EXPECT_TRUE(receive(buffer, "TP/1.1\r\n"));
  EXPECT_EQ(buffer.bytes(), "GET / HTTP/1.1\r\n");
  buffer.consume(4);
  EXPECT_EQ(buffer.bytes(), "/ HTTP/1.1\r\n");
  EXPECT_TRUE(receive(buffer, "\r\n"));
  EXPECT_EQ(buffer.bytes(), "/ HTTP/1.1\r\n\r\n");
}

TEST_F(InputBufferTest, ViewsStayWhileTheirBytesAreConsumed) {
  EXPECT_TRUE(receive(buffer, "onetwo"));
  std::string_view one = buffer.bytes().substr(0, 3);
  buffer.consume(3);
  EXPECT_EQ(one, "one");
  buffer.consume(3);
  EXPECT_EQ(one, "one");
}

TEST_F(InputBufferTest, KeepsItsBytesWhenItGrows) {
  std::string text = pattern(BufferPool::kSmallBlockBytes + 5000);
  EXPECT_TRUE(receive(buffer, text));
  EXPECT_EQ(buffer.bytes(), text);
}

TEST_F(InputBufferTest, TakesALargeBlockOnceAReadFilledTheSmallOne) {
  EXPECT_EQ(buffer.prepare().size(), BufferPool::kSmallBlockBytes);
  EXPECT_TRUE(receive(buffer, pattern(BufferPool::kSmallBlockBytes)));
  buffer.consume(BufferPool::kSmallBlockBytes);
  EXPECT_EQ(buffer.prepare().size(), BufferPool::kLargeBlockBytes);
}

TEST_F(InputBufferTest, TakesALargeBlockWhenMuchIsExpected) {
  EXPECT_TRUE(receive(buffer, "head"));
  buffer.expect(65536);
  EXPECT_EQ(buffer.prepare().size(), BufferPool::kLargeBlockBytes - 4);
  EXPECT_EQ(buffer.bytes(), "head");
}

TEST_F(InputBufferTest, OffersNoRoomWhenTheLargestBlockIsFull) {
  std::string text = pattern(BufferPool::kLargeBlockBytes);
  EXPECT_TRUE(receive(buffer, text));
  EXPECT_TRUE(buffer.prepare().empty());
  EXPECT_EQ(buffer.bytes(), text);
  buffer.consume(1);
  EXPECT_EQ(buffer.prepare().size(), 1U);
  EXPECT_EQ(buffer.bytes(), std::string_view(text).substr(1));
}

TEST_F(InputBufferTest, AlwaysOffersRoomForALongHead) {
  // A head of 32 KiB that comes byte by byte, behind a body that fills most of the block.
  EXPECT_TRUE(receive(buffer, pattern(60'000)));
  buffer.consume(60'000 - 100);
  std::string head = pattern(32'768);
  for (char byte : head) ASSERT_TRUE(receive(buffer, {&byte, 1}));
  EXPECT_EQ(buffer.bytes().substr(100), head);
}

TEST_F(InputBufferTest, RestGivesTheBlockBackOnlyWhenEmpty) {
  EXPECT_TRUE(receive(buffer, "ab"));
  buffer.consume(1);
  buffer.rest();
  EXPECT_EQ(buffer.bytes(), "b");
  const char* address = buffer.bytes().data() - 1;
  buffer.consume(1);
  buffer.rest();
  EXPECT_EQ(buffer.bytes(), "");
  EXPECT_EQ(pool.lease_block(BufferPool::kSmallBlockBytes).get(), address);
}

TEST_F(InputBufferTest, SurvivesAnyOrderOfReadsAndConsumption) {
  std::string taken;
  std::string expected;
  std::uint32_t state = 1;
  auto next = [&state](std::uint32_t below) {
    state = state * 1664525 + 1013904223;
    return (state >> 8) % below;
  };
  for (int i = 0; i < 4000; ++i) {
    std::string piece = pattern(next(3000));
    piece.append(std::to_string(i));
    if (buffer.bytes().size() + piece.size() <= 48'000) {
      ASSERT_TRUE(receive(buffer, piece));
      expected += piece;
    }
    std::size_t count = next(static_cast<std::uint32_t>(buffer.bytes().size()) + 1);
    taken.append(buffer.bytes().substr(0, count));
    buffer.consume(count);
    if (next(4) == 0) buffer.rest();
  }
  taken.append(buffer.bytes());
  EXPECT_EQ(taken, expected);
}

}  // namespace
}  // namespace sandgate::net
