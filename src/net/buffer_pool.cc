// SPDX-License-Identifier: Apache-2.0
#include "net/buffer_pool.h"

#include <utility>

namespace sandgate::net {
namespace {

void empty(std::string& text) {
  // Assigning an empty text would keep the memory.
  if (text.capacity() > BufferPool::kOutputKeptBytes) std::string().swap(text);
  text.clear();
}

}  // namespace

BufferPool::Block BufferPool::lease_block(std::size_t bytes) {
  std::vector<Block>& free = bytes == kSmallBlockBytes ? small_ : large_;
  if (free.empty()) return std::make_unique_for_overwrite<char[]>(bytes);
  Block block = std::move(free.back());
  free.pop_back();
  return block;
}

void BufferPool::release_block(Block block, std::size_t bytes) {
  bool is_small = bytes == kSmallBlockBytes;
  std::vector<Block>& free = is_small ? small_ : large_;
  if (free.size() < (is_small ? kSmallKept : kLargeKept)) free.push_back(std::move(block));
}

std::unique_ptr<Scratch> BufferPool::lease_scratch() {
  if (scratch_.empty()) return std::make_unique<Scratch>();
  std::unique_ptr<Scratch> scratch = std::move(scratch_.back());
  scratch_.pop_back();
  return scratch;
}

void BufferPool::release_scratch(std::unique_ptr<Scratch> scratch) {
  if (scratch_.size() >= kScratchKept) return;
  scratch->arena.reset();
  empty(scratch->output);
  scratch_.push_back(std::move(scratch));
}

std::string& BufferPool::text() {
  empty(text_);
  return text_;
}

}  // namespace sandgate::net
