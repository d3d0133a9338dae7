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

#include "gateway/testing/pushed_bytes.h"
#include "gateway/upstream.h"
#include "net/connection_pool.h"

namespace sandgate::gateway::testing {

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
  void close_oldest_idle() override {}
  void set_addresses(std::vector<net::Address>) override {}

  int closed_idle = 0;

 private:
  void give_back(std::unique_ptr<net::ClientConnection> connection) override {
    static_cast<FakeConnection&>(*connection).conversation()->returned = true;
  }
  ServerScript& script_;
};

// An upstream of `count` servers named "s0:80", "s1:80", ..., for one loop. `options` may say more than their names.
class FakeUpstream {
 public:
  FakeUpstream(Loop& loop, std::size_t count, UpstreamOptions options = {}) : scripts(count) {
    options.servers.resize(count);
    for (std::size_t i = 0; i < count; ++i) options.servers[i].host = "s" + std::to_string(i);
    std::size_t made = 0;
    Loop* loops[] = {&loop};
    Upstream::Surroundings surroundings;
    surroundings.loops = loops;
    surroundings.make_pool = [this, &made](Loop&, const std::vector<net::Address>&, const net::PoolOptions&) {
      return std::make_unique<FakePool>(scripts[made++]);
    };
    surroundings.resolve = [](std::string_view, std::uint16_t) -> Result<std::vector<net::Address>> {
      return std::vector<net::Address>(1);
    };
    upstream = std::move(*Upstream::create(options, surroundings));
  }

  UpstreamServer& server(std::size_t index) { return *upstream->servers()[index]; }
  // As a request that found no connection does.
  void mark_down(std::size_t index, Loop& loop) {
    ServerHealth& health = server(index).health();
    health.failed(health.era(), ServerHealth::Failure::kUnreached, loop);
  }
  bool is_up(std::size_t index) { return server(index).health().is_in(); }

  std::vector<ServerScript> scripts;
  std::shared_ptr<Upstream> upstream;
};

}  // namespace sandgate::gateway::testing
