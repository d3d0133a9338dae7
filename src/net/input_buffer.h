// SPDX-License-Identifier: Apache-2.0
//
// Bytes received and not yet consumed, contiguous. The memory is a block borrowed from the loop's pool when bytes come,
// given back by rest(): a connection that waits holds none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "net/buffer_pool.h"

namespace sandgate::net {

class InputBuffer {
 public:
  explicit InputBuffer(BufferPool& pool) : pool_(pool) {}
  InputBuffer(const InputBuffer&) = delete;
  InputBuffer& operator=(const InputBuffer&) = delete;
  ~InputBuffer() { drop_block(); }

  std::string_view bytes() const { return {block_.get() + begin_, end_ - begin_}; }
  // The first `count` bytes, which are there, are done with. Views into them stay valid until the next prepare() or
  // rest().
  void consume(std::size_t count);
  // About this many bytes are still to come: whether a large block pays. 0: unknown.
  void expect(std::uint64_t bytes) { large_pays_ = bytes > BufferPool::kSmallBlockBytes / 2; }

  // Room for more bytes behind the unconsumed ones, moved together and into a larger block when there is little left.
  // Empty when kLargeBlockBytes are full of unconsumed bytes. Invalidates views.
  std::span<char> prepare();
  // The first `count` bytes of what prepare() gave were filled.
  void commit(std::size_t count);
  // Gives the block back when nothing is buffered. Views become invalid then.
  void rest();

 private:
  void drop_block();
  void move_to(std::size_t block_bytes);

  BufferPool& pool_;
  BufferPool::Block block_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool filled_ = false;  // the last read took all the room there was: more is waiting
  bool large_pays_ = false;
};

}  // namespace sandgate::net
