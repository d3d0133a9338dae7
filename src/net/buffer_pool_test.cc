// SPDX-License-Identifier: Apache-2.0
#include "net/buffer_pool.h"

#include <gtest/gtest.h>

#include <set>
#include <utility>
#include <vector>

namespace sandgate::net {
namespace {

TEST(BufferPool, GivesAReleasedBlockToTheNextWhoAsks) {
  BufferPool pool;
  BufferPool::Block block = pool.lease_block(BufferPool::kSmallBlockBytes);
  const char* address = block.get();
  pool.release_block(std::move(block), BufferPool::kSmallBlockBytes);
  EXPECT_EQ(pool.lease_block(BufferPool::kSmallBlockBytes).get(), address);
}

TEST(BufferPool, NeverMixesTheSizes) {
  BufferPool pool;
  pool.release_block(pool.lease_block(BufferPool::kSmallBlockBytes), BufferPool::kSmallBlockBytes);
  BufferPool::Block large = pool.lease_block(BufferPool::kLargeBlockBytes);
  // The sanitizer would see a small one here.
  large[BufferPool::kLargeBlockBytes - 1] = 'x';
}

TEST(BufferPool, KeepsABoundedNumber) {
  BufferPool pool;
  std::vector<BufferPool::Block> blocks;
  std::set<const char*> addresses;
  for (std::size_t i = 0; i < BufferPool::kLargeKept + 10; ++i) {
    blocks.push_back(pool.lease_block(BufferPool::kLargeBlockBytes));
    addresses.insert(blocks.back().get());
  }
  for (BufferPool::Block& block : blocks) pool.release_block(std::move(block), BufferPool::kLargeBlockBytes);
  EXPECT_EQ(addresses.size(), BufferPool::kLargeKept + 10);
}

TEST(BufferPool, ScratchComesBackEmpty) {
  BufferPool pool;
  std::unique_ptr<Scratch> scratch = pool.lease_scratch();
  const Scratch* address = scratch.get();
  scratch->output = "left over";
  scratch->arena.copy("left over");
  pool.release_scratch(std::move(scratch));
  scratch = pool.lease_scratch();
  EXPECT_EQ(scratch.get(), address);
  EXPECT_EQ(scratch->output, "");
  EXPECT_LE(scratch->arena.bytes_reserved(), Arena::kBlockBytes);
}

TEST(BufferPool, ALargeOutputIsNotKept) {
  BufferPool pool;
  std::unique_ptr<Scratch> scratch = pool.lease_scratch();
  scratch->output.resize(BufferPool::kOutputKeptBytes + 1);
  scratch->arena.allocate(10 * Arena::kBlockBytes);
  pool.release_scratch(std::move(scratch));
  scratch = pool.lease_scratch();
  EXPECT_LE(scratch->output.capacity(), BufferPool::kOutputKeptBytes);
  EXPECT_LE(scratch->arena.bytes_reserved(), Arena::kBlockBytes);
}

TEST(BufferPool, TheTextIsEmptyForEachUser) {
  BufferPool pool;
  pool.text() = "one";
  EXPECT_EQ(pool.text(), "");
  pool.text().resize(BufferPool::kOutputKeptBytes + 1);
  EXPECT_LE(pool.text().capacity(), BufferPool::kOutputKeptBytes);
}

}  // namespace
}  // namespace sandgate::net
