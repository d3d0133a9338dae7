// SPDX-License-Identifier: Apache-2.0
//
// Largest heads the codec accepts. Each bound keeps one client from costing more memory or time than an ordinary
// request.
#pragma once

#include <cstddef>

namespace sandgate::http {

struct HeadLimits {
  // Request line or status line. Browsers and proxies stop at about 8 kB; RFC 9112 section 3 asks for at least 8000.
  std::size_t start_line_bytes = 8192;
  // The whole head: room for large cookies and tokens.
  std::size_t head_bytes = 32768;
  // More lines than any known client sends; each line costs work in every filter.
  std::size_t fields = 100;
};

// Chunk extensions of one body, together: nobody uses them, and they must not be a free channel (RFC 9112
// section 7.1.1).
inline constexpr std::size_t kChunkExtensionBytesMax = 256;
// Trailer section of one body.
inline constexpr std::size_t kTrailerBytesMax = 8192;
// Lines of that section; gRPC sends three.
inline constexpr std::size_t kTrailerFieldsMax = 64;
// Options of all Connection fields of a head: each is compared with every field name.
inline constexpr std::size_t kConnectionOptionsMax = 32;
// Bytes of a method: the longest registered one has 16.
inline constexpr std::size_t kMethodBytesMax = 32;
// Bytes of a host name: DNS allows 253 and a final dot.
inline constexpr std::size_t kHostBytesMax = 255;
// Content-Length digits: 18 always fit 63 bits.
inline constexpr std::size_t kContentLengthDigitsMax = 18;
// Digits of a chunk size: 16 fill 64 bits; sizes above 2^62 are refused.
inline constexpr std::size_t kChunkSizeDigitsMax = 16;

}  // namespace sandgate::http
