// SPDX-License-Identifier: Apache-2.0
//
// Where a body comes from: a client connection, an upstream, a buffer, a guest. Pulled: nobody reads a socket unless
// the next stage asked, so back-pressure is TCP's. Owned by whoever made it, alive as long as the exchange (or the
// call) it belongs to. Loop thread only; one read at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "base/task.h"
#include "http/field.h"

namespace sandgate {

class BodySource {
 public:
  virtual ~BodySource() = default;

  // The next piece, valid until the next read() or the source's end; empty at the end of the body, again and again.
  // Errors: kDisconnected (the peer left in the middle), kInvalid (malformed framing), kTimedOut (no progress),
  // kTooLarge (over the limit of the request body).
  virtual Task<Result<std::string_view>> read() = 0;
  // Bytes of the whole body when known from the start; nothing when chunked.
  virtual std::optional<std::uint64_t> length() const = 0;
  // True when there is no body at all: length() is 0 and read() is not needed.
  bool empty() const { return length() == std::uint64_t{0}; }
  // The rest is not wanted: ends a pending read with kDisconnected, and later ones too. A client connection closes
  // after the response then.
  virtual void abort() = 0;
  // Trailer fields, after read() returned the end. Null when there are none.
  virtual const http::Fields* trailers() const { return nullptr; }
};

// A body that is in memory already. The text must outlive the source. With trailers its length is not told: only a body
// of unknown length can carry them.
class BufferedBody final : public BodySource {
 public:
  explicit BufferedBody(std::string_view text = {}, const http::Fields* trailers = nullptr)
      : text_(text), trailers_(trailers != nullptr && !trailers->empty() ? trailers : nullptr) {}
  Task<Result<std::string_view>> read() override {
    std::string_view piece = text_.substr(read_ ? text_.size() : 0);
    read_ = true;
    co_return piece;
  }
  std::optional<std::uint64_t> length() const override {
    if (trailers_ != nullptr) return std::nullopt;
    return text_.size();
  }
  void abort() override { text_ = {}; }
  const http::Fields* trailers() const override { return trailers_; }
  std::string_view text() const { return text_; }

 private:
  std::string_view text_;
  const http::Fields* trailers_;
  bool read_ = false;
};

}  // namespace sandgate
