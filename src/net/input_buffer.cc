// SPDX-License-Identifier: Apache-2.0
#include "net/input_buffer.h"

#include <cstring>
#include <utility>

namespace sandgate::net {

void InputBuffer::drop_block() {
  if (block_) pool_.release_block(std::move(block_), capacity_);
  data_ = inline_.data();
  capacity_ = kInlineBytes;
}

void InputBuffer::move_to(std::size_t block_bytes) {
  BufferPool::Block block = pool_.lease_block(block_bytes);
  std::memcpy(block.get(), data_ + begin_, end_ - begin_);
  drop_block();
  block_ = std::move(block);
  data_ = block_.get();
  capacity_ = block_bytes;
  end_ -= begin_;
  begin_ = 0;
}

std::span<char> InputBuffer::prepare() {
  if (begin_ == end_) begin_ = end_ = 0;
  bool crowded = end_ - begin_ > capacity_ / 2;
  if ((filled_ || crowded) && capacity_ < BufferPool::kLargeBlockBytes) {
    filled_ = false;
    move_to(capacity_ == kInlineBytes ? BufferPool::kSmallBlockBytes : BufferPool::kLargeBlockBytes);
  } else if (capacity_ - end_ < capacity_ / 4 && begin_ > 0) {
    std::memmove(data_, data_ + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  return {data_ + end_, capacity_ - end_};
}

void InputBuffer::commit(std::size_t count) {
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
