// SPDX-License-Identifier: Apache-2.0
//
// Bodies and raw streams whose bytes come when the test says so.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "exchange/exchange.h"

namespace sandgate::gateway::testing {

// Bytes that come one after another: from an upstream, a client, a tunnel's end. What was not pushed yet is waited for.
class PushedBytes {
 public:
  void push(std::string text) { add({std::move(text), std::nullopt}); }
  // The end of the stream.
  void end() { add({std::string(), std::nullopt}); }
  void break_off(ErrorKind kind, std::string detail) { add({std::string(), Error(kind, std::move(detail))}); }
  // Ends a wait with kDisconnected, and later reads too.
  void abort() {
    aborted_ = true;
    came_.set();
  }
  bool waiting() const { return came_.has_waiter(); }

  Task<Result<std::string_view>> read() {
    while (next_ == items_.size() && !aborted_) {
      came_.reset();
      co_await came_.wait();
    }
    if (aborted_) co_return fail(ErrorKind::kDisconnected, "given up");
    const Item& item = items_[next_];
    if (item.error) co_return fail(*item.error);
    if (!item.text.empty()) ++next_;
    co_return std::string_view(item.text);
  }

 private:
  struct Item {
    std::string text;
    std::optional<Error> error;
  };
  void add(Item item) {
    items_.push_back(std::move(item));
    came_.set();
  }
  std::deque<Item> items_;  // references stay valid
  std::size_t next_ = 0;
  Event came_;
  bool aborted_ = false;
};

class PushedBody final : public BodySource {
 public:
  explicit PushedBody(std::optional<std::uint64_t> length = std::nullopt) : length_(length) {}
  Task<Result<std::string_view>> read() override { return bytes.read(); }
  std::optional<std::uint64_t> length() const override { return length_; }
  void abort() override {
    ++aborts;
    bytes.abort();
  }
  const http::Fields* trailers() const override { return trailer_fields; }

  PushedBytes bytes;
  const http::Fields* trailer_fields = nullptr;
  int aborts = 0;

 private:
  std::optional<std::uint64_t> length_;
};

class PushedStream final : public RawStream {
 public:
  Task<Result<std::string_view>> read() override { return bytes.read(); }
  Task<Status> write(std::string_view text) override {
    if (closed) co_return fail(ErrorKind::kDisconnected, "closed");
    written += text;
    co_return Status();
  }
  void shutdown_write() override { write_ended = true; }
  void close() override {
    if (std::exchange(closed, true)) return;
    bytes.abort();
  }

  PushedBytes bytes;
  std::string written;
  bool write_ended = false;
  bool closed = false;
};

}  // namespace sandgate::gateway::testing
