// SPDX-License-Identifier: Apache-2.0
#include "gateway/health_check.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "gateway/testing/fake_upstream.h"
#include "tests/support/fake_loop.h"

namespace sandgate::gateway {
namespace {

using testing::Conversation;
using testing::FakePool;
using testing::ServerScript;

constexpr Milliseconds kInterval{1'000};
constexpr Milliseconds kTimeout{200};

UpstreamOptions options_of(HealthCheckOptions check) {
  UpstreamOptions options;
  options.name = "workers";
  options.servers.resize(1);
  options.servers[0].host = "s0";
  check.interval = kInterval;
  check.timeout = kTimeout;
  options.health_check = std::move(check);
  return options;
}

class HealthCheckTest : public ::testing::Test {
 protected:
  // One failure is enough, and one success, unless a test says otherwise.
  void start(HealthCheckOptions chosen = {.fails = 1, .passes = 1}) {
    common = std::make_unique<UpstreamCommon>(options_of(std::move(chosen)));
    common->waiting_room = std::make_shared<WaitingRoom>(loops, nothing_free, 1, 10);
    server = std::make_unique<UpstreamServer>(*common, 0, 1);
    check = std::make_shared<HealthCheck>(*server, std::make_unique<FakePool>(script), loop);
    check->start(upstream, Milliseconds(0));
  }
  // The next probe goes out.
  void next() {
    loop.advance(kInterval + Milliseconds(10));
    loop.run_until_idle();
  }
  bool well() const { return !server->health().unhealthy(); }
  std::uint64_t passed() const { return server->health().probes_passed(); }
  std::uint64_t failed() const { return server->health().probes_failed(); }

  struct NothingFree final : WaitingRoom::Host {
    bool has_room(const Loop&) const override { return false; }
    void give_up_idle(const Loop&) override {}
  };

  test::FakeLoop loop;
  std::array<Loop*, 1> loops{&loop};
  NothingFree nothing_free;
  ServerScript script;
  std::shared_ptr<void> upstream = std::make_shared<int>(0);  // what holds the server
  std::unique_ptr<UpstreamCommon> common;
  std::unique_ptr<UpstreamServer> server;
  std::shared_ptr<HealthCheck> check;
};

TEST_F(HealthCheckTest, AsksOnANewConnectionEachTime) {
  Conversation& first = script.expect().answer(200, "fine");
  Conversation& second = script.expect().answer(204, "");
  start();
  next();
  EXPECT_EQ(first.request, "GET /health\nhost= s0:80\nuser-agent: sandgate-health-check\n");
  EXPECT_EQ(passed(), 1U);
  EXPECT_TRUE(first.aborted()) << "nothing is kept, and the body is of no interest";
  EXPECT_TRUE(second.request.empty()) << "before its time";
  next();
  EXPECT_FALSE(second.request.empty());
  EXPECT_EQ(passed(), 2U);
  EXPECT_EQ(script.asked_fresh, (std::vector<bool>{true, true}));
}

TEST_F(HealthCheckTest, AsksForWhatItWasTold) {
  Conversation& talk = script.expect().answer(200, "");
  start({.path = "/ready?deep=1", .host = "workers.test", .fails = 1, .passes = 1});
  next();
  EXPECT_EQ(talk.request, "GET /ready?deep=1\nhost= workers.test\nuser-agent: sandgate-health-check\n");
}

TEST_F(HealthCheckTest, FailuresInARowTakeTheServerOutAndSuccessesBringItBack) {
  start({.fails = 2, .passes = 2});
  for (int status : {500, 200, 500, 500}) {
    EXPECT_TRUE(well()) << status;
    script.expect().answer(status, "");
    next();
  }
  EXPECT_FALSE(well()) << "two in a row";
  for (int status : {200, 500, 200, 200}) {
    EXPECT_FALSE(well()) << status;
    script.expect().answer(status, "");
    next();
  }
  EXPECT_TRUE(well());
}

TEST_F(HealthCheckTest, AnAnswerCountsByItsStatus) {
  start({.fails = 1, .passes = 1, .status_min = 200, .status_max = 299});
  for (auto [status, expected] : {std::pair(200, true), {299, true}, {300, false}, {404, false}, {503, false}}) {
    script.expect().answer(status, "");
    next();
    EXPECT_EQ(well(), expected) << status;
  }
}

TEST_F(HealthCheckTest, InterimAnswersAreNone) {
  Conversation& talk = script.expect();
  for (int i = 0; i < 3; ++i) talk.heads.push_back({103, {}});
  talk.heads.push_back({200, {}});
  start();
  next();
  EXPECT_EQ(passed(), 1U);
  // One that sends nothing else has gone wrong.
  Conversation& endless = script.expect();
  for (int i = 0; i < 100; ++i) endless.heads.push_back({103, {}});
  next();
  EXPECT_FALSE(well());
  EXPECT_LT(endless.heads_read, 100);
}

TEST_F(HealthCheckTest, WhoeverTakesNoConnectionIsNotWell) {
  script.refuse();
  start();
  next();
  EXPECT_FALSE(well());
  script.expect().answer(200, "");
  next();
  EXPECT_TRUE(well());
}

TEST_F(HealthCheckTest, WhoeverClosesWithoutAnAnswerIsNotWell) {
  script.expect().read_head_error = Error(ErrorKind::kDisconnected, "closed");
  start();
  next();
  EXPECT_FALSE(well());
}

TEST_F(HealthCheckTest, WhoeverDoesNotAnswerInTimeIsNotWellAndIsAskedAgain) {
  Conversation& silent = script.expect();
  silent.hold_answer = true;
  start();
  next();
  EXPECT_EQ(passed() + failed(), 0U) << "the probe is under way";
  loop.advance(kTimeout + Milliseconds(10));
  loop.run_until_idle();
  EXPECT_TRUE(silent.aborted());
  EXPECT_FALSE(well());
  script.expect().answer(200, "");
  next();
  EXPECT_TRUE(well());
}

TEST_F(HealthCheckTest, TheTimeIsForTheConnectionToo) {
  Event hold;
  script.hold = &hold;
  script.expect().answer(200, "");
  start();
  next();
  loop.advance(kTimeout + Milliseconds(10));
  hold.set();
  loop.run_until_idle();
  EXPECT_EQ(failed(), 1U);
}

Detached wait(WaitingRoom& room, Loop& loop, Cancellation& over, std::optional<WaitingRoom::Outcome>& outcome) {
  outcome = co_await room.wait(loop, over, loop.now() + std::chrono::seconds(60), WaitingRoom::Place::kBack);
}

TEST_F(HealthCheckTest, AServerThatIsWellAgainIsForThoseWhoWait) {
  script.expect().answer(500, "");
  start();
  next();
  ASSERT_FALSE(well());
  Cancellation over;
  std::optional<WaitingRoom::Outcome> outcome;
  wait(*common->waiting_room, loop, over, outcome);
  script.expect().answer(500, "");
  next();
  EXPECT_EQ(outcome, std::nullopt);
  script.expect().answer(200, "");
  next();
  EXPECT_EQ(outcome, WaitingRoom::Outcome::kRoom);
}

TEST_F(HealthCheckTest, StoppingEndsAProbeAndTellsNothing) {
  Conversation& silent = script.expect();
  silent.hold_answer = true;
  start();
  next();
  std::weak_ptr<HealthCheck> watched = check;
  check->stop();
  check.reset();
  EXPECT_FALSE(watched.expired()) << "who stops it may stand in the middle of it";
  loop.run_until_idle();
  EXPECT_TRUE(watched.expired()) << "no frame stays behind";
  EXPECT_TRUE(silent.aborted());
  EXPECT_TRUE(well());
  EXPECT_EQ(passed() + failed(), 0U);
  next();
  EXPECT_EQ(script.asked_fresh.size(), 1U);
}

TEST_F(HealthCheckTest, StoppingBeforeTheFirstProbeIsTheEnd) {
  start();
  check->stop();
  next();
  EXPECT_TRUE(script.asked_fresh.empty());
}

TEST_F(HealthCheckTest, AProbeHoldsItsUpstreamAndNoLonger) {
  Conversation& held = script.expect().answer(200, "");
  held.hold_answer = true;
  start();
  next();
  std::weak_ptr<void> watched = upstream;
  upstream.reset();
  EXPECT_FALSE(watched.expired());
  held.answer_hold.set();
  loop.run_until_idle();
  EXPECT_TRUE(watched.expired());
  EXPECT_EQ(passed(), 1U);
  // There is nobody to ask for any more.
  next();
  EXPECT_EQ(script.asked_fresh.size(), 1U);
}

}  // namespace
}  // namespace sandgate::gateway
