// SPDX-License-Identifier: Apache-2.0
#include "net/poller.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <string_view>
#include <thread>

namespace sandgate::net {
namespace {

constexpr int kLongMs = 20'000;

struct Pair {
  Pair() {
    std::array<int, 2> ends{-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
    mine = platform::Descriptor(ends[0]);
    theirs = platform::Descriptor(ends[1]);
  }
  void say(std::string_view text) const {
    EXPECT_EQ(::send(theirs.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  }

  platform::Descriptor mine;
  platform::Descriptor theirs;
};

class Recorder final : public Poller::Watcher {
 public:
  void ready(std::uint32_t events) override {
    ++told;
    seen |= events;
  }
  int told = 0;
  std::uint32_t seen = 0;
};

TEST(Poller, TellsWhatIsTheCaseAlready) {
  Poller poller;
  Pair pair;
  pair.say("x");
  Recorder recorder;
  ASSERT_TRUE(poller.watch(pair.mine.get(), recorder));
  poller.poll(kLongMs);
  EXPECT_EQ(recorder.told, 1);
  EXPECT_NE(recorder.seen & EPOLLIN, 0U);
  EXPECT_NE(recorder.seen & EPOLLOUT, 0U);
}

TEST(Poller, TellsAnEdgeOnceAndAgainOnRequest) {
  Poller poller;
  Pair pair;
  pair.say("x");
  Recorder recorder;
  ASSERT_TRUE(poller.watch(pair.mine.get(), recorder));
  poller.poll(kLongMs);
  poller.poll(0);
  EXPECT_EQ(recorder.told, 1);
  poller.tell_again(pair.mine.get(), recorder);
  poller.poll(kLongMs);
  EXPECT_EQ(recorder.told, 2);
}

TEST(Poller, TellsTheEndBehindUnreadBytes) {
  Poller poller;
  Pair pair;
  Recorder recorder;
  ASSERT_TRUE(poller.watch(pair.mine.get(), recorder));
  pair.say("unread");
  poller.poll(kLongMs);
  EXPECT_EQ(recorder.seen & EPOLLRDHUP, 0U);
  ::shutdown(pair.theirs.get(), SHUT_WR);
  poller.poll(kLongMs);
  EXPECT_NE(recorder.seen & EPOLLRDHUP, 0U);
}

// Unwatches another one when it is told.
class Unwatcher final : public Poller::Watcher {
 public:
  void ready(std::uint32_t) override {
    ++told;
    if (other != nullptr) poller->unwatch(other_descriptor, *other);
  }
  Poller* poller = nullptr;
  Unwatcher* other = nullptr;
  int other_descriptor = -1;
  int told = 0;
};

TEST(Poller, WhoIsUnwatchedIsNotToldEvenIfFoundInTheSamePoll) {
  Poller poller;
  Pair first;
  Pair second;
  first.say("x");
  second.say("x");
  Unwatcher one;
  Unwatcher two;
  one.poller = two.poller = &poller;
  one.other = &two;
  one.other_descriptor = second.mine.get();
  two.other = &one;
  two.other_descriptor = first.mine.get();
  ASSERT_TRUE(poller.watch(first.mine.get(), one));
  ASSERT_TRUE(poller.watch(second.mine.get(), two));
  poller.poll(kLongMs);
  poller.poll(0);
  EXPECT_EQ(one.told + two.told, 1);
}

TEST(Poller, UnwatchingHoldsThoughAChildProcessStillHasTheDescriptor) {
  Poller poller;
  Pair pair;
  Recorder recorder;
  ASSERT_TRUE(poller.watch(pair.mine.get(), recorder));
  poller.poll(kLongMs);
  int told = recorder.told;
  // As fork() does until exec().
  platform::Descriptor inherited(::fcntl(pair.mine.get(), F_DUPFD_CLOEXEC, 0));
  poller.unwatch(pair.mine.get(), recorder);
  pair.mine.reset();
  pair.say("x");
  poller.poll(0);
  EXPECT_EQ(recorder.told, told);
}

TEST(Poller, AWakeFromAnotherThreadEndsTheWait) {
  Poller poller;
  std::thread waker([&poller] { poller.wake(); });
  poller.poll(-1);
  waker.join();
}

TEST(Poller, AWakeBeforeTheWaitIsNotLost) {
  Poller poller;
  for (int i = 0; i < 3; ++i) {
    poller.wake();
    poller.poll(-1);
  }
}

TEST(Poller, CannotWatchWhatIsNoDescriptor) {
  Poller poller;
  Recorder recorder;
  EXPECT_FALSE(poller.watch(-1, recorder));
}

}  // namespace
}  // namespace sandgate::net
