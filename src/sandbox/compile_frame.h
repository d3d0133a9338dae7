// SPDX-License-Identifier: Apache-2.0
//
// What the compiler process writes to its stdout: one header, then the payload to the end of the stream. Both ends are
// the same binary on the same machine, so the integers are in its byte order.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "sandbox/code_cache.h"

namespace sandgate::sandbox {

struct CompileFrameHeader {
  static constexpr std::array<char, 8> kMagic = {'s', 'g', 'c', 'h', 'i', 'l', 'd', '1'};

  std::array<char, 8> magic = kMagic;
  std::uint32_t error_kind = 0;  // an sg_error_kind with its message as payload; 0: the payload is code
  std::uint32_t unconfined = 0;  // 1: the system offers no seccomp filter
  std::uint64_t payload_bytes = 0;
};
static_assert(sizeof(CompileFrameHeader) == 24);

struct CompileFrame {
  CompileFrameHeader header;
  std::string_view payload;
};

// As much as the cache would keep; larger code is refused.
inline constexpr std::uint64_t kCodeBytesMax = CodeCache::kFileBytesMax;

// Nothing when the bytes are not exactly one frame: the child died while writing, or wrote nonsense.
inline std::optional<CompileFrame> parse_compile_frame(std::string_view bytes) {
  CompileFrame frame;
  if (bytes.size() < sizeof frame.header) return std::nullopt;
  std::memcpy(&frame.header, bytes.data(), sizeof frame.header);
  frame.payload = bytes.substr(sizeof frame.header);
  if (frame.header.magic != CompileFrameHeader::kMagic || frame.header.payload_bytes != frame.payload.size())
    return std::nullopt;
  return frame;
}

}  // namespace sandgate::sandbox
