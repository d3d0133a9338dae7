// SPDX-License-Identifier: Apache-2.0
//
// Finds a body in the bytes of a connection (RFC 9112 sections 6 and 7). Returns views into the caller's input; copies
// nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/limits.h"
#include "http/message.h"

namespace sandgate::http {

class BodyDecoder {
 public:
  BodyDecoder() = default;
  // `arena` takes the trailers of a chunked body.
  BodyDecoder(BodyFraming framing, Arena& arena);

  struct Step {
    enum class Kind : unsigned char {
      kNeedMore,  // everything given was consumed, or the rest is an unfinished line; read more
      kData,      // `data` is the next piece of the body, not empty
      kEnd,       // the body is complete; bytes after `consumed` belong to the next message
      kBroken,    // malformed; `reason` says why
    };
    Kind kind = Kind::kNeedMore;
    std::size_t consumed = 0;  // bytes of the input that are done with, `data` included
    std::string_view data;     // into the input
    std::string_view reason;
  };

  // `input` begins at the first byte not yet consumed. A body given in other pieces yields the same content and the
  // same end. Once broken or ended it stays so.
  Step decode(std::string_view input);
  // The connection ended. True when that is a proper end of this body (kUntilClose, or already ended).
  bool finish();
  bool ended() const { return state_ == State::kEnded; }
  // Bytes of content still to come when the length is known in advance, else 0.
  std::uint64_t remaining() const { return state_ == State::kLength ? remaining_ : 0; }
  // Trailer fields, after the end; framing, routing and authentication fields are dropped (RFC 9110 section 6.5.1).
  // Null when there are none.
  const Fields* trailers() const { return trailers_; }

 private:
  enum class State : unsigned char {
    kLength,
    kUntilClose,
    kChunkSize,
    kChunkExtension,
    kChunkSizeLf,  // the LF after a chunk size or extension
    kChunkData,
    kChunkDataCr,  // the CRLF after a chunk's content
    kChunkDataLf,
    kTrailers,
    kEnded,
    kBroken,
  };

  Step decode_chunked(std::string_view input);
  Step take_data(std::string_view input, std::size_t consumed);
  // One byte of the frame between pieces of content. Returns what is wrong with it, empty when nothing is.
  std::string_view take_frame_byte(char byte);
  std::string_view take_size_byte(char byte);
  // The lines of the trailer section, from `consumed` on.
  Step decode_trailers(std::string_view input, std::size_t consumed);
  std::string_view take_trailer_line(std::string_view line);
  Step broken(std::string_view reason);

  State state_ = State::kEnded;
  unsigned size_digits_ = 0;
  std::uint64_t remaining_ = 0;  // of the body, or of the chunk
  std::size_t extension_bytes_ = 0;
  std::size_t trailer_bytes_ = 0;
  std::size_t trailer_lines_ = 0;
  std::size_t line_searched_ = 0;  // bytes of the unfinished trailer line that hold no end of line
  Arena* arena_ = nullptr;
  Fields* trailers_ = nullptr;
  std::string_view reason_;
};

// Writes the frame before a chunk of `bytes` content into `to` (at least kChunkHeadBytesMax) and returns its length.
// After the content comes "\r\n".
inline constexpr std::size_t kChunkHeadBytesMax = 18;
std::size_t write_chunk_head(std::uint64_t bytes, char* to);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace sandgate::http
