// SPDX-License-Identifier: Apache-2.0
#include "net/input_buffer.h"

#include <cstring>
#include <utility>

#include "base/check.h"

namespace sandgate::net {

void InputBuffer::drop_block() {
  if (block_) pool_.release_block(std::move(block_), capacity_);
  capacity_ = 0;
}

void InputBuffer::move_to(std::size_t block_bytes) {
  BufferPool::Block block = pool_.lease_block(block_bytes);
  if (begin_ != end_) std::memcpy(block.get(), block_.get() + begin_, end_ - begin_);
  drop_block();
  block_ = std::move(block);
  capacity_ = block_bytes;
  end_ -= begin_;
  begin_ = 0;
}

void InputBuffer::consume(std::size_t count) {
  SANDGATE_CHECK(count <= end_ - begin_);
  begin_ += count;
}

std::span<char> InputBuffer::prepare() {
  if (begin_ == end_) begin_ = end_ = 0;
  const bool crowded = end_ - begin_ > capacity_ / 2;
  const bool large = large_pays_ || filled_ || (crowded && capacity_ != 0);
  if (large && capacity_ != BufferPool::kLargeBlockBytes) {
    move_to(BufferPool::kLargeBlockBytes);
  } else if (capacity_ == 0) {
    move_to(BufferPool::kSmallBlockBytes);
  } else if (capacity_ - end_ < capacity_ / 4 && begin_ > 0) {
    std::memmove(block_.get(), block_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  filled_ = false;
  return {block_.get() + end_, capacity_ - end_};
}

void InputBuffer::commit(std::size_t count) {
  SANDGATE_CHECK(count <= capacity_ - end_);
  end_ += count;
  filled_ = end_ == capacity_;
}

void InputBuffer::rest() {
  if (begin_ != end_) return;
  begin_ = end_ = 0;
  filled_ = false;
  drop_block();
}

}  // namespace sandgate::net
