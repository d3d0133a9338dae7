// SPDX-License-Identifier: Apache-2.0
#include "base/frame_pool.h"

#include <array>
#include <new>

namespace sandgate::frame_pool {
namespace {

#if defined(__SANITIZE_ADDRESS__) || \
    (defined(__has_feature) && (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer)))
constexpr bool kPooled = false;
#else
constexpr bool kPooled = true;
#endif

struct FreeFrame {
  FreeFrame* next;
};

struct FreeList {
  FreeFrame* first = nullptr;
  std::size_t count = 0;
};

constexpr std::size_t kClasses = kFrameBytesMax / kClassBytes;

struct Lists {
  std::array<FreeList, kClasses> by_class;
  ~Lists() {
    for (FreeList& list : by_class) {
      while (list.first != nullptr) {
        FreeFrame* frame = list.first;
        list.first = frame->next;
        ::operator delete(frame);
      }
    }
  }
};

// An allocator's cache, not state of a request: the one thread_local of the code base.
thread_local Lists lists;

std::size_t class_of(std::size_t bytes) { return (bytes + kClassBytes - 1) / kClassBytes - 1; }

}  // namespace

void* allocate(std::size_t bytes) {
  if (!kPooled || bytes > kFrameBytesMax) return ::operator new(bytes);
  std::size_t size_class = class_of(bytes);
  FreeList& list = lists.by_class[size_class];
  if (list.first == nullptr) return ::operator new((size_class + 1) * kClassBytes);
  FreeFrame* frame = list.first;
  list.first = frame->next;
  --list.count;
  return frame;
}

void release(void* frame, std::size_t bytes) noexcept {
  if (!kPooled || bytes > kFrameBytesMax) return ::operator delete(frame);
  FreeList& list = lists.by_class[class_of(bytes)];
  if (list.count >= kFramesKept) return ::operator delete(frame);
  list.first = ::new (frame) FreeFrame{list.first};
  ++list.count;
}

}  // namespace sandgate::frame_pool
