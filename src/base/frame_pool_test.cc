// SPDX-License-Identifier: Apache-2.0
#include "base/frame_pool.h"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>
#include <utility>
#include <vector>

namespace sandgate::frame_pool {
namespace {

using Frame = std::pair<void*, std::size_t>;

void* written(std::size_t bytes) {
  void* frame = allocate(bytes);
  std::memset(frame, 0x5a, bytes);
  return frame;
}

TEST(FramePool, GivesWritableFramesOfEverySize) {
  std::vector<Frame> frames;
  for (std::size_t bytes = 1; bytes <= kFrameBytesMax + 2 * kClassBytes; ++bytes)
    frames.emplace_back(written(bytes), bytes);
  for (auto [frame, bytes] : frames) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(frame) % alignof(std::max_align_t), 0U) << bytes;
    release(frame, bytes);
  }
}

// A frame of a class serves every size of that class: 65 bytes released may be given out as 128.
TEST(FramePool, GivesAFrameOfItsWholeClass) {
  for (std::size_t bytes = 1; bytes <= kFrameBytesMax; bytes += kClassBytes) {
    release(written(bytes), bytes);
    const std::size_t largest = (bytes + kClassBytes - 1) / kClassBytes * kClassBytes;
    release(written(largest), largest);
  }
}

TEST(FramePool, NeverGivesAFrameTwice) {
  for (int round = 0; round < 3; ++round) {
    std::vector<unsigned*> frames;
    for (unsigned i = 0; i < 3 * kFramesKept; ++i) {
      frames.push_back(static_cast<unsigned*>(allocate(200)));
      *frames.back() = i;
    }
    for (unsigned i = 0; i < frames.size(); ++i) EXPECT_EQ(*frames[i], i);
    for (unsigned* frame : frames) release(frame, 200);
  }
}

// The lists of a thread end with it, and a frame may end on another thread than its own. Leaks and double frees show
// under AddressSanitizer, races under ThreadSanitizer.
TEST(FramePool, LetsFramesEndOnAnotherThread) {
  std::vector<Frame> frames;
  std::thread([&frames] {
    for (std::size_t bytes : {64U, 100U, 2048U, 5000U}) frames.emplace_back(written(bytes), bytes);
    release(written(64), 64);
  }).join();
  std::thread([&frames] {
    for (auto [frame, bytes] : frames) release(frame, bytes);
    release(written(100), 100);
  }).join();
}

}  // namespace
}  // namespace sandgate::frame_pool
