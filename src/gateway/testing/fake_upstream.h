// SPDX-License-Identifier: Apache-2.0
//
// Upstream servers that follow a script: what each lease gives, what each connection answers, and what it was sent.
// Waits end when the test opens them. abort() resumes what waits at once, from within the call, which is harsher than a
// socket.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/upstream.h"
#include "net/connection_pool.h"

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

// A head that the upstream sends.
struct AnswerHead {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> fields;
};

// What happens on one connection. Shared with the test, which looks at it afterwards.
struct Conversation {
  // Script.
  bool reused = false;
  std::optional<Error> write_head_error;
  bool head_leaves = true;  // whether write_head hands bytes to the kernel
  std::optional<Error> write_body_error;
  std::vector<AnswerHead> heads;
  std::optional<Error> read_head_error;  // after `heads`; without one read_head waits
  int read_head_timeouts = 0;            // kTimedOut this often before anything else
  std::shared_ptr<PushedBody> body = std::make_shared<PushedBody>();
  PushedStream raw;
  Event answer_hold;
  bool hold_answer = false;  // read_head waits for answer_hold
  Event write_hold;
  bool hold_write = false;  // write_body waits for write_hold

  // Record.
  std::string request;  // "METHOD target\nname: value\n..." in order
  http::BodyFraming framing;
  bool upgrade = false;
  std::string body_start;
  std::string body_written;
  bool body_finished = false;
  int heads_read = 0;
  int aborts = 0;
  bool returned = false;

  bool aborted() const { return aborts > 0; }
  bool sent_field(std::string_view line) const {
    return request.find("\n" + std::string(line) + "\n") != std::string::npos;
  }
  bool sent_name(std::string_view name) const {
    return request.find("\n" + std::string(name) + ": ") != std::string::npos;
  }

  // Adds an answer with this body.
  Conversation& answer(int status, std::string text, std::vector<std::pair<std::string, std::string>> fields = {}) {
    heads.push_back({status, std::move(fields)});
    body = std::make_shared<PushedBody>(text.size());
    if (!text.empty()) body->bytes.push(std::move(text));
    body->bytes.end();
    return *this;
  }
};

class FakeConnection final : public net::ClientConnection {
 public:
  explicit FakeConnection(std::shared_ptr<Conversation> conversation) : talk_(std::move(conversation)) {}

  Task<Status> write_head(const http::RequestHead& head, http::BodyFraming framing, bool upgrade,
                          std::string_view body_start) override {
    talk_->request = std::string(head.method) + " " + std::string(head.path) +
                     (head.has_query ? "?" + std::string(head.query) : "") + "\nhost= " + std::string(head.authority) +
                     "\n";
    for (const http::Field& field : head.fields)
      talk_->request += std::string(field.name) + ": " + std::string(field.value) + "\n";
    talk_->framing = framing;
    talk_->upgrade = upgrade;
    if (talk_->write_head_error) {
      wrote_ = talk_->head_leaves;
      co_return fail(*talk_->write_head_error);
    }
    wrote_ = true;
    talk_->body_start = body_start;
    talk_->body_written += body_start;
    co_return Status();
  }
  Task<Status> write_body(std::string_view bytes) override {
    std::shared_ptr<Conversation> talk = talk_;
    if (talk->hold_write && !talk->aborted()) co_await talk->write_hold.wait();
    if (talk->aborted()) co_return fail(ErrorKind::kDisconnected, "aborted");
    if (talk->write_body_error) co_return fail(*talk->write_body_error);
    talk->body_written += bytes;
    co_return Status();
  }
  Task<Status> finish_body(const http::Fields*) override {
    talk_->body_finished = true;
    co_return Status();
  }
  bool wrote_any() const override { return wrote_; }

  Task<Status> read_head(std::string_view, http::ResponseHead& head) override {
    std::shared_ptr<Conversation> talk = talk_;
    if (talk->read_head_timeouts > 0) {
      --talk->read_head_timeouts;
      co_return fail(ErrorKind::kTimedOut, "no answer");
    }
    if (next_head_ == talk->heads.size() && talk->read_head_error) co_return fail(*talk->read_head_error);
    bool wait = talk->hold_answer || next_head_ == talk->heads.size();
    if (wait && !talk->aborted()) co_await talk->answer_hold.wait();
    if (talk->aborted()) co_return fail(ErrorKind::kDisconnected, "aborted");
    if (next_head_ == talk->heads.size()) co_return fail(ErrorKind::kDisconnected, "closed");
    const AnswerHead& answer = talk->heads[next_head_++];
    received_ = true;
    ++talk->heads_read;
    head.status = answer.status;
    for (const auto& [name, value] : answer.fields) head.fields.add_copy(name, value);
    co_return Status();
  }
  bool received_any() const override { return received_; }
  BodySource& body() override { return *talk_->body; }
  RawStream& raw() override { return talk_->raw; }
  void abort() override {
    // What resumes here may destroy the connection.
    std::shared_ptr<Conversation> talk = talk_;
    if (talk->aborts++ > 0) return;
    talk->write_hold.set();
    talk->body->bytes.abort();
    talk->raw.close();
    talk->answer_hold.set();
  }

  const std::shared_ptr<Conversation>& conversation() const { return talk_; }

 private:
  std::shared_ptr<Conversation> talk_;
  std::size_t next_head_ = 0;
  bool wrote_ = false;
  bool received_ = false;
};

// One pool of one server: each lease takes the next of `leases`. The address's port tells servers apart.
struct LeaseScript {
  std::optional<Error> error;
  std::shared_ptr<Conversation> conversation;
};

struct ServerScript {
  std::deque<LeaseScript> leases;
  std::vector<bool> asked_fresh;  // of each lease, in order
  Event* hold = nullptr;          // each lease waits for it when set

  Conversation& expect() {
    auto conversation = std::make_shared<Conversation>();
    kept.push_back(conversation);
    leases.push_back({std::nullopt, conversation});
    return *conversation;
  }
  void refuse(ErrorKind kind = ErrorKind::kUpstream) { leases.push_back({Error(kind, "refused"), nullptr}); }

  std::vector<std::shared_ptr<Conversation>> kept;
};

class FakePool final : public net::ConnectionPool {
 public:
  explicit FakePool(ServerScript& script) : script_(script) {}

  Task<Result<net::Lease>> lease(Cancellation& cancellation, bool fresh) override {
    script_.asked_fresh.push_back(fresh);
    if (script_.hold != nullptr) co_await script_.hold->wait();
    if (cancellation.cancelled()) co_return fail(ErrorKind::kDisconnected, "cancelled");
    if (script_.leases.empty()) co_return fail(ErrorKind::kUpstream, "refused: nothing in the script");
    LeaseScript next = std::move(script_.leases.front());
    script_.leases.pop_front();
    if (next.error) co_return fail(*next.error);
    bool reused = next.conversation->reused;
    co_return net::Lease(*this, std::make_unique<FakeConnection>(std::move(next.conversation)), reused);
  }
  void close_idle() override { ++closed_idle; }
  std::size_t idle() const override { return 0; }

  int closed_idle = 0;

 private:
  void give_back(std::unique_ptr<net::ClientConnection> connection) override {
    static_cast<FakeConnection&>(*connection).conversation()->returned = true;
  }
  ServerScript& script_;
};

// An upstream of `count` servers named "s0:80", "s1:80", ..., for one loop.
class FakeUpstream {
 public:
  FakeUpstream(Loop& loop, std::size_t count) : scripts(count) {
    std::vector<ServerAddress> servers;
    for (std::size_t i = 0; i < count; ++i) {
      servers.push_back({"s" + std::to_string(i) + ":80", {}});
    }
    std::size_t made = 0;
    Loop* loops[] = {&loop};
    auto make = [this, &made](Loop&, const net::Address&,
                              const net::PoolOptions&) -> std::unique_ptr<net::ConnectionPool> {
      return std::make_unique<FakePool>(scripts[made++]);
    };
    upstream = std::move(*Upstream::create(servers, loops, {}, make));
  }

  std::vector<ServerScript> scripts;
  std::unique_ptr<Upstream> upstream;
};

}  // namespace sandgate::gateway::testing
