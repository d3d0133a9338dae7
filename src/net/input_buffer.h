// SPDX-License-Identifier: Apache-2.0
//
// Bytes received and not yet consumed, contiguous. Small bytes stay in the connection itself; more borrows a block of the loop's pool until everything is consumed.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "net/buffer_pool.h"

namespace sandgate::net {

class InputBuffer {
 public:
  // What an idle connection keeps ready: an ordinary request head fits.
  static constexpr std::size_t kInlineBytes = 2048;

  explicit InputBuffer(BufferPool& pool) : pool_(pool) {}
  InputBuffer(const InputBuffer&) = delete;
  InputBuffer& operator=(const InputBuffer&) = delete;
  ~InputBuffer() { drop_block(); }

  std::string_view bytes() const { return {data_ + begin_, end_ - begin_}; }
  // The first `count` bytes are done with. Views into them stay valid until the next prepare().
  void consume(std::size_t count) { begin_ += count; }

  // Room for more bytes behind the unconsumed ones, moved together and into a larger block when there is less than a quarter left. Empty when kLargeBlockBytes are
  // full of unconsumed bytes. Invalidates views.
  std::span<char> prepare();
  // The first `count` bytes of what prepare() gave were filled.
  void commit(std::size_t count);
  // Nothing buffered: gives the block back. Views become invalid.
  void rest();

 private:
  void drop_block();
  void move_to(std::size_t block_bytes);

  BufferPool& pool_;
  BufferPool::Block block_;
  char* data_ = inline_.data();
  std::size_t capacity_ = kInlineBytes;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool filled_ = false;  // the last read took all the room there was: more is waiting
  std::array<char, kInlineBytes> inline_;
};

}  // namespace sandgate::net
