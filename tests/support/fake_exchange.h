// SPDX-License-Identifier: Apache-2.0
//
// An exchange without a connection: a body that the test gives, a sink that keeps what a handler answers, and a way to
// run a handler's Task to its end.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "exchange/exchange.h"
#include "exchange/handler.h"
#include "tests/support/fake_loop.h"

namespace sandgate::test {

// A response as it was sent.
struct SentResponse {
  int status = 0;  // 0: none
  std::vector<std::pair<std::string, std::string>> fields;
  std::optional<std::uint64_t> length;
  std::string body;
  bool finished = false;
  bool aborted = false;
  std::vector<int> informational;

  // The first value of a field; empty when there is none.
  std::string field(std::string_view name) const {
    for (const auto& [key, value] : fields) {
      if (equals_ignoring_case(key, name)) return value;
    }
    return {};
  }
  bool has_field(std::string_view name) const {
    for (const auto& entry : fields) {
      if (equals_ignoring_case(entry.first, name)) return true;
    }
    return false;
  }
};

// Keeps the response. Each call fails with kDisconnected once `fail_after` calls were made.
class CapturingSink final : public ResponseSink {
 public:
  Task<Status> informational(const http::ResponseHead& head) override {
    sent.informational.push_back(head.status);
    co_return answer();
  }
  Task<Status> start(const http::ResponseHead& head, std::optional<std::uint64_t> length) override {
    EXPECT_FALSE(committed_) << "a second head";
    committed_ = true;
    sent.status = head.status;
    for (const http::Field& field : head.fields) sent.fields.emplace_back(field.name, field.value);
    sent.length = length;
    co_return answer();
  }
  Task<Status> write(std::string_view bytes) override {
    EXPECT_TRUE(committed_) << "a body before the head";
    sent.body += bytes;
    co_return answer();
  }
  Task<Status> finish(const http::Fields*) override {
    EXPECT_FALSE(sent.finished) << "a second end";
    if (sent.length && !to_head) EXPECT_EQ(sent.body.size(), *sent.length);
    sent.finished = true;
    co_return answer();
  }
  void abort() override { sent.aborted = true; }
  bool committed() const override { return committed_; }

  SentResponse sent;
  std::optional<int> fail_after;
  bool to_head = false;  // the request is HEAD: a length promises no body

 private:
  Status answer() {
    if (fail_after && (*fail_after)-- <= 0) return fail(ErrorKind::kDisconnected, "the client left");
    return {};
  }
  bool committed_ = false;
};

// A body in pieces, of unknown length, that may end in an error.
class PiecesBody final : public BodySource {
 public:
  explicit PiecesBody(std::vector<std::string> pieces, std::optional<Error> end = std::nullopt)
      : pieces_(std::move(pieces)), end_(std::move(end)) {}
  Task<Result<std::string_view>> read() override {
    if (next_ < pieces_.size()) co_return std::string_view(pieces_[next_++]);
    if (end_) co_return fail(*end_);
    co_return std::string_view();
  }
  std::optional<std::uint64_t> length() const override { return std::nullopt; }
  void abort() override { next_ = pieces_.size(); }
  const http::Fields* trailers() const override { return trailer_fields; }
  std::size_t pieces_read() const { return next_; }

  const http::Fields* trailer_fields = nullptr;

 private:
  std::vector<std::string> pieces_;
  std::optional<Error> end_;
  std::size_t next_ = 0;
};

// A request from a plain local client; change what the test is about. Texts given to it are copied.
class FakeExchange {
 public:
  explicit FakeExchange(std::string_view method = "GET", std::string_view path = "/", unsigned loop_index = 0)
      : loop(loop_index), exchange(loop, arena) {
    exchange.request.method = arena.copy(method);
    exchange.request.path = arena.copy(path);
    exchange.request.authority = "127.0.0.1:3000";
    exchange.request.fields.add("Host", "127.0.0.1:3000");
    exchange.peer = {.address = "127.0.0.1", .port = 40000, .loopback = true};
    exchange.local = {.address = "127.0.0.1", .port = 3000, .loopback = true};
    exchange.client = "127.0.0.1";
    exchange.target = exchange.request.path;
    exchange.id = "0123456789abcdef0123456789abcdef";
    exchange.set_sink(sink);
    sink.to_head = method == "HEAD";
    set_body("");
  }

  FakeExchange& add_field(std::string_view name, std::string_view value) {
    exchange.request.fields.add_copy(name, value);
    return *this;
  }
  FakeExchange& set_body(std::string_view text) {
    body = std::make_unique<BufferedBody>(arena.copy(text));
    exchange.set_body(*body);
    return *this;
  }
  FakeExchange& set_body(std::unique_ptr<BodySource> source) {
    body = std::move(source);
    exchange.set_body(*body);
    return *this;
  }
  const SentResponse& sent() const { return sink.sent; }

  FakeLoop loop;
  Arena arena;
  CapturingSink sink;
  std::unique_ptr<BodySource> body;
  Exchange exchange;
};

namespace fake_exchange_internal {

template <typename T>
Detached run_to_end(Task<T> task, std::optional<T>& result) {
  result = co_await task;
}

}  // namespace fake_exchange_internal

// Runs a Task to its end, turning `loop` and waiting for posts from other threads. Fails the test, with a CHECK, when
// that takes a minute: the Task cannot be left.
template <typename T>
T run(FakeLoop& loop, Task<T> task) {
  std::optional<T> result;
  fake_exchange_internal::run_to_end<T>(std::move(task), result);
  bool ended = loop.run_until([&] { return result.has_value(); });
  SANDGATE_CHECK(ended);
  return std::move(*result);
}

// Lets a handler serve the exchange.
inline Status serve(const Handler& handler, FakeExchange& fake) { return run(fake.loop, handler.serve(fake.exchange)); }

}  // namespace sandgate::test
