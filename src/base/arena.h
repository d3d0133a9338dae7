// SPDX-License-Identifier: Apache-2.0
//
// A bump allocator for what lives as long as one exchange: heads, edited fields, guest records. Freed as a whole by
// reset(), which keeps the first block, so a keep-alive connection allocates nothing per request. Not thread-safe.
// Never runs destructors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>

namespace sandgate {

class Arena {
 public:
  // The first block holds an ordinary head and its edits; most exchanges never need a second one.
  static constexpr std::size_t kBlockBytes = 4096;

  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena();

  // Never null: memory exhaustion ends the process, as everywhere (operator new). `alignment` is a power of two, at
  // most 16.
  void* allocate(std::size_t bytes, std::size_t alignment = alignof(std::max_align_t)) {
    std::uintptr_t at = (cursor_ + alignment - 1) & ~(alignment - 1);
    if (at + bytes > end_ || at + bytes < at) return allocate_slow(bytes, alignment);
    cursor_ = at + bytes;
    return reinterpret_cast<void*>(at);
  }

  // Uninitialised room for `count` objects; only for types without destructors.
  template <typename T>
  std::span<T> allocate_array(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    return {static_cast<T*>(allocate(count * sizeof(T), alignof(T))), count};
  }

  // A copy that lives until reset().
  std::string_view copy(std::string_view text);
  // The pieces, one after the other.
  std::string_view join(std::string_view first, std::string_view second, std::string_view third = {});

  // Everything handed out becomes invalid. Keeps one ordinary block.
  void reset();
  // Frees every block: for a connection that goes idle.
  void release();

  std::size_t bytes_reserved() const { return bytes_reserved_; }

 private:
  struct Block {
    Block* next;
    std::size_t bytes;
  };

  void* allocate_slow(std::size_t bytes, std::size_t alignment);
  void use(Block* block);

  Block* blocks_ = nullptr;  // the current one first
  std::uintptr_t cursor_ = 0;
  std::uintptr_t end_ = 0;
  std::size_t bytes_reserved_ = 0;
};

}  // namespace sandgate
