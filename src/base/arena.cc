// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

#include <cstring>
#include <new>

namespace sandgate {

Arena::~Arena() { release(); }

void Arena::use(Block* block) {
  cursor_ = reinterpret_cast<std::uintptr_t>(block + 1);
  end_ = reinterpret_cast<std::uintptr_t>(block) + block->bytes;
}

void* Arena::allocate_slow(std::size_t bytes, std::size_t alignment) {
  std::size_t needed = bytes + alignment + sizeof(Block);
  std::size_t block_bytes = needed > kBlockBytes ? needed : kBlockBytes;
  auto* block = static_cast<Block*>(::operator new(block_bytes));
  block->next = blocks_;
  block->bytes = block_bytes;
  blocks_ = block;
  bytes_reserved_ += block_bytes;
  use(block);
  std::uintptr_t at = (cursor_ + alignment - 1) & ~(alignment - 1);
  cursor_ = at + bytes;
  return reinterpret_cast<void*>(at);
}

std::string_view Arena::copy(std::string_view text) {
  if (text.empty()) return {};
  auto* to = static_cast<char*>(allocate(text.size(), 1));
  std::memcpy(to, text.data(), text.size());
  return {to, text.size()};
}

std::string_view Arena::join(std::string_view first, std::string_view second, std::string_view third) {
  std::size_t bytes = first.size() + second.size() + third.size();
  if (bytes == 0) return {};
  auto* to = static_cast<char*>(allocate(bytes, 1));
  char* at = to;
  for (std::string_view piece : {first, second, third}) {
    if (!piece.empty()) std::memcpy(at, piece.data(), piece.size());
    at += piece.size();
  }
  return {to, bytes};
}

void Arena::reset() {
  Block* kept = nullptr;
  for (Block* block = blocks_; block != nullptr;) {
    Block* next = block->next;
    if (kept == nullptr && block->bytes == kBlockBytes) {
      kept = block;
    } else {
      bytes_reserved_ -= block->bytes;
      ::operator delete(block);
    }
    block = next;
  }
  blocks_ = kept;
  cursor_ = end_ = 0;
  if (kept != nullptr) {
    kept->next = nullptr;
    use(kept);
  }
}

void Arena::release() {
  for (Block* block = blocks_; block != nullptr;) {
    Block* next = block->next;
    ::operator delete(block);
    block = next;
  }
  blocks_ = nullptr;
  cursor_ = end_ = 0;
  bytes_reserved_ = 0;
}

}  // namespace sandgate
