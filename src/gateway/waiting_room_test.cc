// SPDX-License-Identifier: Apache-2.0
#include "gateway/waiting_room.h"

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <memory>
#include <string>

#include "tests/support/fake_loop.h"

namespace sandgate::gateway {
namespace {

using Outcome = WaitingRoom::Outcome;
using Place = WaitingRoom::Place;

struct FakeHost final : WaitingRoom::Host {
  bool has_room(const Loop&) const override { return room; }
  void give_up_idle(const Loop& loop) override { asked += std::to_string(loop.index()); }
  bool room = false;
  std::string asked;
};

class WaitingRoomTest : public ::testing::Test {
 protected:
  struct Guest {
    std::string name;
    Cancellation over;
    std::optional<Outcome> outcome;
  };

  Guest& come(std::string name, Loop& loop, Place place = Place::kBack) {
    Guest& guest = guests.emplace_back();
    guest.name = std::move(name);
    wait(*room, loop, guest, place, order);
    return guest;
  }
  static Detached wait(WaitingRoom& room, Loop& loop, Guest& guest, Place place, std::string& order) {
    guest.outcome = co_await room.wait(loop, guest.over, loop.now() + Milliseconds(1000), place);
    if (guest.outcome == Outcome::kRoom) order += guest.name;
  }
  void settle() {
    while (first.turn() || second.turn()) {}
  }

  test::FakeLoop first{0};
  test::FakeLoop second{1};
  std::array<Loop*, 2> loops{&first, &second};
  FakeHost host;
  std::shared_ptr<WaitingRoom> room = std::make_shared<WaitingRoom>(loops, host, 1, 3);
  std::deque<Guest> guests;
  std::string order;
};

TEST_F(WaitingRoomTest, FirstComeFirstServed) {
  for (const char* name : {"a", "b", "c"}) come(name, first);
  EXPECT_EQ(room->waiting(), 3U);
  room->wake(first, 0);
  EXPECT_EQ(room->promised(0), 1U);
  EXPECT_EQ(order, "") << "not from within the call";
  settle();
  EXPECT_EQ(order, "a");
  EXPECT_EQ(room->promised(0), 0U);
  room->wake(first, 0);
  room->wake(first, 0);
  settle();
  EXPECT_EQ(order, "abc");
  EXPECT_TRUE(room->empty());
}

TEST_F(WaitingRoomTest, AServerThatComesBackIsForAsManyAsItHasRoomFor) {
  come("a", first);
  second.advance(Milliseconds(10));
  come("b", second);
  come("c", second);
  room->wake_many(0, 2);
  EXPECT_EQ(room->promised(0), 2U);
  settle();
  EXPECT_EQ(order, "ab") << "whoever has waited the longest, on whatever loop";
  room->wake_many(0, 1000);
  EXPECT_EQ(room->promised(0), 1U) << "no more than wait";
  settle();
  EXPECT_EQ(order, "abc");
  room->wake_many(0, 1000);
  EXPECT_EQ(room->promised(0), 0U);
}

TEST_F(WaitingRoomTest, HasABound) {
  for (const char* name : {"a", "b", "c"}) come(name, first);
  EXPECT_EQ(come("d", second).outcome, Outcome::kFull);
  guests[0].over.cancel(ErrorKind::kDisconnected, "left");
  EXPECT_EQ(guests[0].outcome, Outcome::kCancelled);
  EXPECT_EQ(come("e", first).outcome, std::nullopt);
  for (Guest& guest : guests) guest.over.cancel(ErrorKind::kDisconnected, "left");
}

TEST_F(WaitingRoomTest, NobodyWaitsForEver) {
  come("a", first);
  first.advance(Milliseconds(1100));
  EXPECT_EQ(guests[0].outcome, Outcome::kTimedOut);
  EXPECT_TRUE(room->empty());
}

TEST_F(WaitingRoomTest, OneWhoFoundNothingGoesToTheFront) {
  come("a", first);
  come("b", first, Place::kFront);
  for (int i = 0; i < 2; ++i) room->wake(first, 0);
  settle();
  EXPECT_EQ(order, "ba");
}

TEST_F(WaitingRoomTest, OtherLoopsAreAskedForWhatTheyKeep) {
  come("a", second);
  settle();
  EXPECT_EQ(host.asked, "0");
  guests[0].over.cancel(ErrorKind::kDisconnected, "left");
}

TEST_F(WaitingRoomTest, WhatBecameFreeMeanwhileIsSeen) {
  host.room = true;
  come("a", first);
  EXPECT_EQ(order, "a");
}

TEST_F(WaitingRoomTest, AConnectionGoesToAnotherLoopWhereSomebodyWaitsClearlyLonger) {
  come("a", second);
  first.advance(Milliseconds(50));
  second.advance(Milliseconds(50));
  come("b", first);
  EXPECT_FALSE(room->wanted_elsewhere(first)) << "moving one means making a new one";
  guests[1].over.cancel(ErrorKind::kDisconnected, "left");
  EXPECT_TRUE(room->wanted_elsewhere(first)) << "nobody here";
  first.advance(Milliseconds(200));
  second.advance(Milliseconds(200));
  come("c", first);
  EXPECT_TRUE(room->wanted_elsewhere(first));
  room->wake(first, 0);
  settle();
  EXPECT_EQ(order, "a");
  room->wake(first, 0);
  settle();
  EXPECT_EQ(order, "ac");
}

TEST_F(WaitingRoomTest, AWakeThatFindsNobodyIsPassedOn) {
  come("a", second);
  come("b", first);
  room->wake(second, 0);
  guests[0].over.cancel(ErrorKind::kDisconnected, "left");
  settle();
  EXPECT_EQ(order, "b");
}

}  // namespace
}  // namespace sandgate::gateway
