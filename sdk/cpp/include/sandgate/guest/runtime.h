// SPDX-License-Identifier: Apache-2.0
//
// What a guest needs to run with nothing under it: no libc, no libc++ library, no WASI, no import at all. It provides
//   - the arena of the guest (`memory()`) over memory.grow,
//   - cabi_realloc, through which the host puts arguments into that arena,
//   - the functions that compilers and the headers of libc++ expect to find (memcpy and its kin, operator new,
//     the abort hook), all weak, so that a guest may bring its own,
//   - the global constructors: they run before the first call enters the guest (`enter()`).
// Compiled natively (unit tests of guests) it provides the arena over a plain buffer, and nothing else.
//
// `new` takes memory from the arena and `delete` does nothing: objects made during a call end with the call. What
// must outlive it (only a module deployed with kept instances sees its own earlier calls) belongs into globals of
// fixed size, or into memory allocated by a global constructor, which stays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

#include <sandgate/guest/arena.h>

#if defined(__wasm__)

extern "C" {
// Made by the linker: where data and stack end, and the function that runs all global constructors.
extern unsigned char __heap_base;
void __wasm_call_ctors();
}

namespace sandgate::guest::detail {

inline constexpr std::uintptr_t kPageBytes = 65536;

struct LinearMemory {
  char* begin() { return reinterpret_cast<char*>(&__heap_base); }

  char* grow_to(char* end) {
    const std::uintptr_t wanted = reinterpret_cast<std::uintptr_t>(end);
    const std::uintptr_t pages = __builtin_wasm_memory_size(0);
    const std::uintptr_t pages_wanted = wanted / kPageBytes + (wanted % kPageBytes != 0 ? 1 : 0);
    if (pages_wanted <= pages) return page_end(pages);
    if (__builtin_wasm_memory_grow(0, pages_wanted - pages) == SIZE_MAX) return nullptr;
    return page_end(pages_wanted);
  }

 private:
  // 4 GiB does not fit into an address: its last byte is given up.
  static char* page_end(std::uintptr_t pages) {
    return reinterpret_cast<char*>(pages > UINTPTR_MAX / kPageBytes ? UINTPTR_MAX : pages * kPageBytes);
  }
};

}  // namespace sandgate::guest::detail

#else

namespace sandgate::guest::detail {

// Native stand-in for linear memory: enough for tests, refused beyond.
struct LinearMemory {
  static constexpr std::size_t kBytes = 16u << 20;
  alignas(16) inline static char buffer[kBytes];

  char* begin() { return buffer; }
  char* grow_to(char* end) { return end <= buffer + kBytes ? buffer + kBytes : nullptr; }
};

}  // namespace sandgate::guest::detail

#endif

namespace sandgate::guest {

namespace detail {
inline constinit Arena<LinearMemory> arena;
inline constinit bool entered = false;

// First thing in every export. The linker would otherwise run the global constructors around every single export
// call; naming __wasm_call_ctors here makes it leave that to us.
inline void enter() {
  if (entered) return;
  entered = true;
#if defined(__wasm__)
  __wasm_call_ctors();
#endif
  arena.raise_floor();
}
}  // namespace detail

// The memory of the call that runs.
inline Arena<detail::LinearMemory>& memory() { return detail::arena; }

}  // namespace sandgate::guest

#if defined(__wasm__)

// Compilers emit calls to these on their own, and must not recognise the bodies as what they implement: the attribute.
#define SANDGATE_GUEST_BUILTIN extern "C" __attribute__((weak, no_builtin))

#if defined(__wasm_bulk_memory__)
// With bulk memory the builtins are instructions (memory.copy, memory.fill) and never calls.
extern "C" [[gnu::weak]] void* memcpy(void* __restrict to, const void* __restrict from, std::size_t size) {
  return __builtin_memcpy(to, from, size);
}
extern "C" [[gnu::weak]] void* memmove(void* to, const void* from, std::size_t size) {
  return __builtin_memmove(to, from, size);
}
extern "C" [[gnu::weak]] void* memset(void* to, int value, std::size_t size) {
  return __builtin_memset(to, value, size);
}
#else
SANDGATE_GUEST_BUILTIN void* memcpy(void* __restrict to, const void* __restrict from, std::size_t size) {
  char* out = static_cast<char*>(to);
  const char* in = static_cast<const char*>(from);
  for (; size >= 8; size -= 8, out += 8, in += 8) {
    std::uint64_t word;
    __builtin_memcpy_inline(&word, in, 8);
    __builtin_memcpy_inline(out, &word, 8);
  }
  while (size-- != 0) *out++ = *in++;
  return to;
}

SANDGATE_GUEST_BUILTIN void* memmove(void* to, const void* from, std::size_t size) {
  char* out = static_cast<char*>(to);
  const char* in = static_cast<const char*>(from);
  if (reinterpret_cast<std::uintptr_t>(out) - reinterpret_cast<std::uintptr_t>(in) >= size) {
    return memcpy(to, from, size);
  }
  while (size-- != 0) out[size] = in[size];
  return to;
}

SANDGATE_GUEST_BUILTIN void* memset(void* to, int value, std::size_t size) {
  char* out = static_cast<char*>(to);
  const std::uint64_t word = static_cast<std::uint8_t>(value) * UINT64_C(0x0101010101010101);
  for (; size >= 8; size -= 8, out += 8) __builtin_memcpy_inline(out, &word, 8);
  while (size-- != 0) *out++ = static_cast<char>(value);
  return to;
}
#endif

SANDGATE_GUEST_BUILTIN int memcmp(const void* left, const void* right, std::size_t size) {
  const auto* a = static_cast<const unsigned char*>(left);
  const auto* b = static_cast<const unsigned char*>(right);
  for (; size != 0; --size, ++a, ++b) {
    if (*a != *b) return *a < *b ? -1 : 1;
  }
  return 0;
}

SANDGATE_GUEST_BUILTIN void* memchr(const void* in, int value, std::size_t size) {
  const auto* at = static_cast<const unsigned char*>(in);
  for (; size != 0; --size, ++at) {
    if (*at == static_cast<unsigned char>(value)) return const_cast<unsigned char*>(at);
  }
  return nullptr;
}

SANDGATE_GUEST_BUILTIN std::size_t strlen(const char* text) {
  const char* end = text;
  while (*end != '\0') ++end;
  return static_cast<std::size_t>(end - text);
}

#undef SANDGATE_GUEST_BUILTIN

extern "C" {
[[gnu::weak, noreturn]] void abort() { __builtin_trap(); }
[[gnu::weak, noreturn]] void __cxa_pure_virtual() { __builtin_trap(); }
// Guests are dropped, never shut down: destructors of globals do not run.
[[gnu::weak]] int __cxa_atexit(void (*)(void*), void*, void*) { return 0; }
[[gnu::weak]] void* __dso_handle = nullptr;

[[gnu::weak, clang::export_name("cabi_realloc")]] void* cabi_realloc(void* old, std::size_t old_size,
                                                                     std::size_t alignment, std::size_t size) {
  sandgate::guest::detail::enter();
  return sandgate::guest::memory().reallocate(old, old_size, alignment, size);
}
}

[[gnu::weak]] void* operator new(std::size_t size) { return sandgate::guest::memory().allocate(size, 16); }
[[gnu::weak]] void* operator new[](std::size_t size) { return sandgate::guest::memory().allocate(size, 16); }
[[gnu::weak]] void* operator new(std::size_t size, std::align_val_t alignment) {
  return sandgate::guest::memory().allocate(size, static_cast<std::size_t>(alignment));
}
[[gnu::weak]] void* operator new[](std::size_t size, std::align_val_t alignment) {
  return sandgate::guest::memory().allocate(size, static_cast<std::size_t>(alignment));
}
[[gnu::weak]] void operator delete(void*) noexcept {}
[[gnu::weak]] void operator delete[](void*) noexcept {}
[[gnu::weak]] void operator delete(void*, std::size_t) noexcept {}
[[gnu::weak]] void operator delete[](void*, std::size_t) noexcept {}
[[gnu::weak]] void operator delete(void*, std::align_val_t) noexcept {}
[[gnu::weak]] void operator delete[](void*, std::align_val_t) noexcept {}
[[gnu::weak]] void operator delete(void*, std::size_t, std::align_val_t) noexcept {}
[[gnu::weak]] void operator delete[](void*, std::size_t, std::align_val_t) noexcept {}

#if defined(_LIBCPP_BEGIN_NAMESPACE_STD)
_LIBCPP_BEGIN_NAMESPACE_STD
// libc++ ends up here where it would throw (std::optional::value() on an empty one) and from its hardening checks.
[[gnu::weak, noreturn]] void __libcpp_verbose_abort(const char*, ...) { __builtin_trap(); }
_LIBCPP_END_NAMESPACE_STD
#endif

#endif  // defined(__wasm__)
