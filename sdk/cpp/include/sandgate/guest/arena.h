// SPDX-License-Identifier: Apache-2.0
//
// The memory of a guest: one arena that only grows while a call runs and is emptied when the call is over.
//
// The host lowers the arguments of a call into the arena, the guest builds its answer there, the host reads the answer
// and then calls the post-return function, which resets the arena. So everything that a hook is given, and everything
// it allocates, lives until the host has read the answer, and not one call longer. Nothing is freed before that.
//
// `Growth` is where memory comes from (`LinearMemory` in runtime.h, a plain buffer in tests); it needs
//   char* begin();              first usable byte
//   char* grow_to(char* end);   makes memory up to `end` usable and returns the new end, or nullptr when refused
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace sandgate::guest {

template <class Growth>
class Arena {
 public:
  constexpr Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // `size` bytes aligned to `alignment`, a power of two. Traps when the host grants no more memory: an out-of-memory
  // answer nobody checks would be worse, and the host turns the trap into the module's failure policy.
  void* allocate(std::size_t size, std::size_t alignment) {
    start();
    const std::uintptr_t top = reinterpret_cast<std::uintptr_t>(top_);
    const std::uintptr_t mask = alignment - 1;
    if (alignment == 0 || (alignment & mask) != 0) __builtin_trap();
    if (top > UINTPTR_MAX - mask) __builtin_trap();
    const std::uintptr_t at = (top + mask) & ~mask;
    if (size > UINTPTR_MAX - at) __builtin_trap();
    extend(reinterpret_cast<char*>(at + size));
    last_ = reinterpret_cast<char*>(at);
    return last_;
  }

  // The canonical ABI's realloc. The newest block changes size in place; any other is copied, and the old one stays
  // until the reset. A size of zero keeps nothing and needs nothing.
  void* reallocate(void* old, std::size_t old_size, std::size_t alignment, std::size_t size) {
    if (old == nullptr || old_size == 0) return allocate(size, alignment);
    start();
    char* block = static_cast<char*>(old);
    const bool aligned = (reinterpret_cast<std::uintptr_t>(block) & (alignment - 1)) == 0;
    if (block == last_ && aligned && size <= UINTPTR_MAX - reinterpret_cast<std::uintptr_t>(block)) {
      extend(reinterpret_cast<char*>(reinterpret_cast<std::uintptr_t>(block) + size));
      return block;
    }
    void* fresh = allocate(size, alignment);
    std::memcpy(fresh, old, old_size < size ? old_size : size);
    return fresh;
  }

  // Whether [at, at + size) is memory of the call that runs, so that a view of it needs no copy.
  bool owns(const void* at, std::size_t size) const {
    const std::uintptr_t first = reinterpret_cast<std::uintptr_t>(at);
    const std::uintptr_t floor = reinterpret_cast<std::uintptr_t>(floor_);
    const std::uintptr_t top = reinterpret_cast<std::uintptr_t>(top_);
    return first >= floor && first <= top && size <= top - first;
  }

  // Empties the arena down to the floor. Every pointer into it dies.
  void reset() {
    top_ = floor_;
    last_ = nullptr;
  }

  // What is allocated by now stays for good: called once, after the guest's global constructors have run.
  void raise_floor() {
    start();
    floor_ = top_;
    last_ = nullptr;
  }

  std::size_t used() const { return static_cast<std::size_t>(top_ - floor_); }

 private:
  void start() {
    if (top_ != nullptr) return;
    floor_ = top_ = growth_.begin();
    end_ = growth_.grow_to(top_);
    if (end_ == nullptr) __builtin_trap();
  }

  void extend(char* top) {
    // As integers: the pointers need not lie in one object.
    if (reinterpret_cast<std::uintptr_t>(top) > reinterpret_cast<std::uintptr_t>(end_)) {
      end_ = growth_.grow_to(top);
      if (end_ == nullptr) __builtin_trap();
    }
    top_ = top;
  }

  Growth growth_;
  char* floor_ = nullptr;
  char* top_ = nullptr;
  char* end_ = nullptr;
  char* last_ = nullptr;
};

}  // namespace sandgate::guest
