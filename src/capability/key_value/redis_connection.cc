// SPDX-License-Identifier: Apache-2.0
#include "capability/key_value/redis_connection.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "capability/key_value/redis_commands.h"
#include "net/connect.h"

namespace sandgate::capability {

RedisConnection::RedisConnection(net::LoopThread& loop, const StateUrl& url, std::shared_ptr<net::TlsClient> tls,
                                 Milliseconds timeout, net::Resolver& names, Owner& owner)
    : loop_(loop),
      url_(url),
      tls_(std::move(tls)),
      timeout_(timeout),
      names_(names),
      owner_(owner),
      pause_timer_(loop, &RedisConnection::paused, this),
      reply_timer_(loop, &RedisConnection::timed_out, this) {}

void RedisConnection::stop() {
  stopping_ = true;
  change(State::kAway);
  // Each ends a wait of live(), whose frame would stay behind otherwise.
  if (connecting_) connecting_->close();
  if (stream_) stream_->close();
  fail_all();
  pause_over_.set();
  // The one who waits may let go of it.
  if (std::shared_ptr<LookingUp> looking_up = looking_up_) looking_up->done.set();
}

void RedisConnection::send(std::string_view command, OnReply on_reply) {
  if (state_ == State::kAway || in_flight_.size() >= kInFlightMax || out_.size() + command.size() > kOutBytesMax)
    return on_reply(nullptr);
  out_ += command;
  in_flight_.push_back({std::move(on_reply), loop_.now() + timeout_});
  if (!reply_timer_.armed()) reply_timer_.arm(timeout_);
  schedule_write();
}

void RedisConnection::change(State state) {
  if (state_ == state) return;
  if (state_ == State::kReady) owner_.went_down();
  if (state == State::kReady) owner_.came_up();
  state_ = state;
}

void RedisConnection::fail_all() {
  std::deque<InFlight> lost;
  lost.swap(in_flight_);
  out_.clear();
  reply_timer_.disarm();
  for (InFlight& each : lost) each.on_reply(nullptr);
}

Detached RedisConnection::live() {
  Milliseconds time = kPauseLeast;
  while (!stopping_) {
    ready_for_ = Nanoseconds(0);
    co_await connect_and_read();
    if (state_ == State::kReady) ready_for_ = loop_.now() - ready_since_;
    change(State::kAway);
    fail_all();
    if (stopping_) break;
    owner_.is_away(why_);
    if (ready_for_ >= kSteady) {
      // What comes now waits for the new connection, as at the start.
      state_ = State::kConnecting;
      time = kPauseLeast;
      continue;
    }
    co_await pause(time);
    time = std::min(time * 2, kPauseMost);
  }
}

Task<Result<net::StreamPtr>> RedisConnection::reach() {
  Result<net::Address> address = co_await look_up();
  if (!address) co_return fail(std::move(address.error()));
  if (stopping_) co_return fail(ErrorKind::kDisconnected, "it is not needed any more");
  Result<net::StreamPtr> connected = co_await net::connect(loop_, *address, timeout_, connecting_);
  if (!connected || tls_ == nullptr) co_return connected;
  net::StreamPtr stream = *connected;
  Result<std::unique_ptr<net::TlsChannel>> channel = tls_->open();
  if (!channel) co_return fail(std::move(channel.error()));
  // stop() may have been called since: then it ends at once.
  if (stopping_) stream->close();
  connecting_ = stream;
  Status secured = co_await stream->secure(*std::move(channel), timeout_);
  connecting_ = net::StreamPtr();
  if (secured) co_return stream;
  stream->close();
  co_return fail(std::move(secured.error()));
}

Task<void> RedisConnection::connect_and_read() {
  Result<net::StreamPtr> reached = co_await reach();
  if (stopping_) {
    if (reached) (*reached)->close();
    co_return;
  }
  if (!reached) {
    const Error& error = reached.error();
    why_ = error.cause.empty() ? error.detail : fmt::format("{} ({})", error.detail, error.cause);
    co_return;
  }
  stream_ = *reached;
  writing_ = false;
  why_ = "it closed the connection";
  greet();
  net::StreamPtr stream = stream_;
  RedisReader reader;
  for (;;) {
    net::IoStatus status = co_await stream->more(Milliseconds(0));
    if (status != net::IoStatus::kReady || !take_replies(reader)) break;
  }
  stream->close();
  stream_ = net::StreamPtr();
}

// Before whatever waits already.
void RedisConnection::greet() {
  std::vector<std::string> commands;
  if (!url_.password.empty()) {
    commands.push_back(url_.user.empty() ? redis_command({"AUTH", url_.password})
                                         : redis_command({"AUTH", url_.user, url_.password}));
  }
  if (url_.database != 0) commands.push_back(redis_command({"SELECT", std::to_string(url_.database)}));
  commands.push_back(redis_command({"PING"}));
  std::string greeting;
  for (const std::string& command : commands) greeting += command;
  out_.insert(0, greeting);
  for (std::size_t i = 0; i < commands.size(); ++i) {
    bool last = i == 0;  // pushed in front of the others
    in_flight_.push_front({[this, last](RedisReply* reply) {
                             if (reply != nullptr && (last || reply->kind == RedisReply::Kind::kError)) greeted(reply);
                           },
                           loop_.now() + timeout_});
  }
  reply_timer_.arm(timeout_);
  schedule_write();
}

void RedisConnection::greeted(const RedisReply* reply) {
  if (reply->kind != RedisReply::Kind::kStatus) {
    why_ = fmt::format("it says: {}", reply->text);
    if (stream_) stream_->close();
  } else if (stream_ && !stream_->closed()) {
    ready_since_ = loop_.now();
    change(State::kReady);
  }
}

bool RedisConnection::take_replies(RedisReader& reader) {
  std::string_view input = stream_->input();
  reader.feed(input);
  stream_->consume(input.size());
  for (;;) {
    RedisReply reply;
    RedisReader::Next next = reader.next(reply);
    if (next == RedisReader::Next::kMore) return true;
    if (next == RedisReader::Next::kBroken || in_flight_.empty()) {
      why_ = "it sent something that is no reply";
      return false;
    }
    InFlight first = std::move(in_flight_.front());
    in_flight_.pop_front();
    // A master that became a replica stays one: its name may lead to the new master.
    bool demoted = reply.kind == RedisReply::Kind::kError && reply.text.starts_with("READONLY");
    first.on_reply(&reply);
    if (stopping_ || stream_->closed()) return false;
    if (demoted) {
      why_ = "it is a replica now";
      return false;
    }
  }
}

void RedisConnection::timed_out(void* owner) {
  auto& self = *static_cast<RedisConnection*>(owner);
  if (self.in_flight_.empty()) return;
  Nanoseconds left = self.in_flight_.front().deadline - self.loop_.now();
  if (left.count() > 0) return self.reply_timer_.arm(std::chrono::ceil<Milliseconds>(left));
  self.why_ = "it did not answer in time";
  if (self.stream_) {
    self.stream_->close();  // the reader ends on the next turn
  } else {
    self.change(State::kAway);
    self.fail_all();
  }
}

Task<Result<net::Address>> RedisConnection::look_up() {
  auto looking_up = std::make_shared<LookingUp>();
  looking_up_ = looking_up;
  Loop& loop = loop_;
  bool asked = names_.ask(url_.host, url_.port, [looking_up, &loop](Result<std::vector<net::Address>> addresses) {
    loop.post([looking_up, addresses = std::move(addresses)] {
      looking_up->addresses = addresses;
      looking_up->done.set();
    });
  });
  if (asked) co_await looking_up->done.wait();
  looking_up_.reset();
  if (!looking_up->addresses) co_return fail(std::move(looking_up->addresses.error()));
  const std::vector<net::Address>& addresses = *looking_up->addresses;
  if (addresses.empty()) co_return fail(ErrorKind::kNotFound, "its name has no address");
  // One that does not answer is not the only one that is tried.
  co_return addresses[attempts_++ % addresses.size()];
}

Task<void> RedisConnection::pause(Milliseconds time) {
  pause_over_.reset();
  if (stopping_) co_return;
  pause_timer_.arm(time);
  co_await pause_over_.wait();
}

void RedisConnection::paused(void* owner) { static_cast<RedisConnection*>(owner)->pause_over_.set(); }

// At the end of the turn, so that commands of several guests go out in one write.
void RedisConnection::schedule_write() {
  if (!stream_ || writing_ || write_scheduled_ || out_.empty()) return;
  write_scheduled_ = true;
  loop_.next_turn(&RedisConnection::write_turn, this);
}

void RedisConnection::write_turn(void* owner) {
  auto& self = *static_cast<RedisConnection*>(owner);
  self.write_scheduled_ = false;
  if (self.stream_ && !self.writing_) self.write(self.stream_);
}

Detached RedisConnection::write(net::StreamPtr stream) {
  writing_ = true;
  while (stream_ && &*stream_ == &*stream && !out_.empty()) {
    std::string sending = std::exchange(out_, {});
    iovec piece{sending.data(), sending.size()};
    net::IoStatus status = co_await stream->write({&piece, 1}, timeout_);
    if (status == net::IoStatus::kReady) continue;
    stream->close();
    co_return;
  }
  if (stream_ && &*stream_ == &*stream) writing_ = false;
}

}  // namespace sandgate::capability
