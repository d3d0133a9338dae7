// SPDX-License-Identifier: Apache-2.0
//
// Random orders of everything that can happen to an exchange in the proxy. Each seed is one run; the sanitizers watch.
// What must hold: the exchange ends once the client has left, nothing waits afterwards, and what was delivered is what
// was sent.
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gateway/testing/proxy_fixture.h"

namespace sandgate::gateway {
namespace {

using testing::Conversation;
using testing::PushedBody;

constexpr unsigned kSeeds = 3000;
constexpr int kSteps = 24;

class ProxyInterleavingTest : public testing::ProxyFixture {
 protected:
  bool flip() { return random() % 2 == 0; }
  std::uint32_t pick(std::uint32_t count) { return static_cast<std::uint32_t>(random() % count); }

  void script_conversation(std::size_t server) {
    if (pick(8) == 0) return upstream->scripts[server].refuse(flip() ? ErrorKind::kUpstream : ErrorKind::kTimedOut);
    Conversation& talk = expect(server);
    talk.reused = flip();
    talk.hold_answer = flip();
    talk.hold_write = pick(4) == 0;
    if (pick(6) == 0) talk.write_head_error = Error(flip() ? ErrorKind::kDisconnected : ErrorKind::kTimedOut, "no");
    talk.head_leaves = flip();
    if (pick(6) == 0) talk.write_body_error = Error(flip() ? ErrorKind::kDisconnected : ErrorKind::kTimedOut, "no");
    for (std::uint32_t interim = pick(3); interim > 0; --interim) talk.heads.push_back({103, {}});
    if (pick(8) == 0) talk.read_head_error = Error(flip() ? ErrorKind::kDisconnected : ErrorKind::kUpstream, "no");
    if (pick(5) > 0) talk.heads.push_back({pick(6) == 0 ? 204 : 200, {}});
  }

  // One thing that happens outside the proxy.
  void step() {
    Conversation& talk = *conversations[pick(static_cast<std::uint32_t>(conversations.size()))];
    switch (pick(10)) {
      case 0:
      case 1: return push(body, sent_up);
      case 2: return end_or_break(body, body_ended, ErrorKind::kInvalid);
      case 3:
      case 4: return push(talk.body.get(), ignored);
      case 5: return end_or_break(talk.body.get(), answer_ended, ErrorKind::kUpstream);
      case 6: return talk.answer_hold.set();
      case 7: return talk.write_hold.set();
      case 8:
        if (pick(6) == 0) fake->exchange.cancellation.cancel(ErrorKind::kDisconnected, "the client left");
        return;
      default: fake->loop.advance(Milliseconds(10)); return;
    }
  }
  void push(PushedBody* to, std::string& record) {
    if (to == nullptr || (to == body && body_ended) || (to != body && answer_ended)) return;
    std::string text = "piece" + std::to_string(pick(100)) + ";";
    record += text;
    to->bytes.push(text);
  }
  void end_or_break(PushedBody* of, bool& ended, ErrorKind kind) {
    if (of == nullptr || std::exchange(ended, true)) return;
    if (pick(4) == 0) return of->bytes.break_off(kind, "broken");
    of->bytes.end();
  }

  void run_one(unsigned seed) {
    random.seed(seed);
    prepare(flip() ? "POST" : "GET", 1 + pick(2));
    if (flip()) body = &upload();
    for (std::size_t server = 0; server < upstream->scripts.size(); ++server) {
      for (int lease = 0; lease < 2; ++lease) script_conversation(server);
      for (const auto& talk : upstream->scripts[server].kept) conversations.push_back(talk);
    }
    if (conversations.empty()) conversations.push_back(std::make_shared<Conversation>());
    start();
    for (int i = 0; i < kSteps && !running.ended(); ++i) step();
    fake->exchange.cancellation.cancel(ErrorKind::kDisconnected, "the client left");
    EXPECT_TRUE(running.ended()) << "seed " << seed;
    for (const auto& talk : conversations) {
      EXPECT_FALSE(talk->answer_hold.has_waiter() || talk->write_hold.has_waiter() || talk->body->bytes.waiting())
          << "seed " << seed;
      // A request goes to one server only, and in order.
      EXPECT_TRUE(sent_up.starts_with(talk->body_written)) << "seed " << seed;
    }
    if (body != nullptr) EXPECT_FALSE(body->bytes.waiting()) << "seed " << seed;
    if (running.ended() && *running.status) EXPECT_TRUE(sent().finished) << "seed " << seed;
    if (sent().finished) EXPECT_FALSE(sent().aborted) << "seed " << seed;
  }

  std::mt19937 random;
  PushedBody* body = nullptr;
  std::vector<std::shared_ptr<Conversation>> conversations;
  std::string sent_up;
  std::string ignored;
  bool body_ended = false;
  bool answer_ended = false;

  void TestBody() override {}

 public:
  static void run_seed(unsigned seed) {
    ProxyInterleavingTest test;
    test.run_one(seed);
  }
};

TEST(ProxyInterleaving, AlwaysEndsAndDeliversInOrder) {
  for (unsigned seed = 0; seed < kSeeds && !::testing::Test::HasFailure(); ++seed)
    ProxyInterleavingTest::run_seed(seed);
}

}  // namespace
}  // namespace sandgate::gateway
