// SPDX-License-Identifier: Apache-2.0
//
// Free lists for coroutine frames, one set per thread, by size class: a nested co_await costs a pop and a push instead
// of malloc and free. A frame may be released on another thread than the one that made it; it then joins that thread's
// list. Bounded: past kFramesKept of a class a frame goes back to the heap. Sanitizer builds go to the heap always, so
// that use after free is seen.
#pragma once

#include <cstddef>

namespace sandgate::frame_pool {

// Frames above this are rare (one per connection at most) and go to the heap.
inline constexpr std::size_t kFrameBytesMax = 2048;
inline constexpr std::size_t kClassBytes = 64;
// Enough for the frames of a thread's connections in one turn of the loop; 128 x 2 KiB bounds a class at 256 KiB.
inline constexpr std::size_t kFramesKept = 128;

void* allocate(std::size_t bytes);
void release(void* frame, std::size_t bytes) noexcept;

}  // namespace sandgate::frame_pool
