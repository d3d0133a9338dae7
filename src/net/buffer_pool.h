// SPDX-License-Identifier: Apache-2.0
//
// Memory that connections of one loop borrow while they have something to do: input blocks, arenas and output buffers.
// An idle connection holds none of it. Bounded: what exceeds the kept number goes back to the heap. Loop thread only.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/arena.h"

namespace sandgate::net {

// What serving one request needs besides input.
struct Scratch {
  Arena arena;
  std::string output;
};

class BufferPool {
 public:
  // Ordinary messages fit the small block; a body that fills it gets the large one, so that it moves with few system
  // calls.
  static constexpr std::size_t kSmallBlockBytes = 16 * 1024;
  static constexpr std::size_t kLargeBlockBytes = 64 * 1024;
  // Kept per loop: 2 MiB of small blocks, 4 MiB of large ones.
  static constexpr std::size_t kSmallKept = 128;
  static constexpr std::size_t kLargeKept = 64;
  // With an arena block of 4 KiB each: 1 MiB, and as much as the outputs had to grow.
  static constexpr std::size_t kScratchKept = 256;
  // An output buffer that grew beyond this is freed instead of kept.
  static constexpr std::size_t kOutputKeptBytes = 16 * 1024;

  BufferPool() = default;
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  using Block = std::unique_ptr<char[]>;
  Block lease_block(std::size_t bytes);  // kSmallBlockBytes or kLargeBlockBytes
  void release_block(Block block, std::size_t bytes);

  std::unique_ptr<Scratch> lease_scratch();
  void release_scratch(std::unique_ptr<Scratch> scratch);

  // An empty text for what is built and sent before the caller waits for anything.
  std::string& text();

 private:
  std::vector<Block> small_;
  std::vector<Block> large_;
  std::vector<std::unique_ptr<Scratch>> scratch_;
  std::string text_;
};

}  // namespace sandgate::net
