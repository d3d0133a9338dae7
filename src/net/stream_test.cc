// SPDX-License-Identifier: Apache-2.0
#include "net/stream.h"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <string>
#include <thread>
#include <vector>

#include "net/testing/loop_fixture.h"
#include "tests/support/raw_server.h"

namespace sandgate::net {
namespace {

using testing::connecting_to;
using testing::FullBacklog;
using testing::LoopTest;
using testing::make_pair;
using testing::Signal;
using testing::StreamPair;
using testing::Transport;

constexpr Milliseconds kLong = std::chrono::seconds(20);
constexpr Milliseconds kShort{20};
// The buffers of both sockets together stay below.
constexpr std::size_t kMoreThanSocketsHold = 24'000'000;

Task<IoStatus> more(Stream& stream, Milliseconds timeout) {
  IoStatus status = co_await stream.more(timeout);
  co_return status;
}

Task<IoStatus> write(Stream& stream, std::string_view text, Milliseconds timeout) {
  iovec piece{const_cast<char*>(text.data()), text.size()};
  IoStatus status = co_await stream.write({&piece, 1}, timeout);
  co_return status;
}

// Reads to the end and returns everything.
Task<std::string> read_all(Stream& stream) {
  std::string all;
  for (;;) {
    IoStatus status = co_await stream.more(kLong);
    all.append(stream.input());
    stream.consume(stream.input().size());
    if (status != IoStatus::kReady) break;
  }
  co_return all;
}

class StreamTest : public LoopTest {
 protected:
  ~StreamTest() override {
    on_loop([this] { pair.stream = {}; });
  }
  void connect(Transport transport = Transport::kTcp) {
    on_loop([this, transport] { pair = make_pair(loop, transport); });
  }
  Stream& stream() { return *pair.stream; }
  std::optional<IoStatus> more_now(Milliseconds timeout = kLong) {
    return run<IoStatus>([this, timeout] { return more(stream(), timeout); });
  }
  std::string input() {
    std::string text;
    on_loop([&] { text = stream().input(); });
    return text;
  }

  StreamPair pair;
};

class StreamOver : public StreamTest, public ::testing::WithParamInterface<Transport> {
 protected:
  StreamOver() { connect(GetParam()); }
};

INSTANTIATE_TEST_SUITE_P(Transports, StreamOver, ::testing::Values(Transport::kTcp, Transport::kUnix),
                         [](const auto& chosen) { return chosen.param == Transport::kTcp ? "Tcp" : "Unix"; });

TEST_P(StreamOver, ReadsWhatArrivesBeforeAndWhileItWaits) {
  ASSERT_TRUE(pair.peer->send("one"));
  EXPECT_EQ(more_now(), IoStatus::kReady);
  EXPECT_EQ(input(), "one");
  std::future<IoStatus> waiting = testing::begin<IoStatus>(loop, [this] { return more(stream(), kLong); });
  on_loop([] {});
  ASSERT_TRUE(pair.peer->send("two"));
  EXPECT_EQ(testing::value_of(std::move(waiting)), IoStatus::kReady);
  EXPECT_EQ(input(), "onetwo");
}

TEST_P(StreamOver, ReportsTheEndAfterTheLastByte) {
  ASSERT_TRUE(pair.peer->send("last"));
  pair.peer->close();
  EXPECT_EQ(run<std::string>([this] { return read_all(stream()); }), "last");
  on_loop([this] { EXPECT_EQ(stream().read_state(), IoStatus::kEnd); });
  EXPECT_EQ(more_now(), IoStatus::kEnd);
}

TEST_P(StreamOver, MovesLargeAmountsUnchangedInBothDirections) {
  std::string text(5'000'000, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 31 + (i >> 8));
  std::future<IoStatus> writing = testing::begin<IoStatus>(loop, [&] { return write(stream(), text, kLong); });
  std::future<std::string> reading = testing::begin<std::string>(loop, [this] { return read_all(stream()); });
  std::thread sender([&] {
    EXPECT_TRUE(pair.peer->send(text));
    pair.peer->shutdown_write();
  });
  std::string received = pair.peer->receive_exactly(text.size());
  sender.join();
  EXPECT_EQ(testing::value_of(std::move(writing)), IoStatus::kReady);
  EXPECT_TRUE(testing::value_of(std::move(reading)) == text);
  EXPECT_TRUE(received == text);
  on_loop([&] { EXPECT_EQ(stream().bytes_written(), text.size()); });
}

TEST_P(StreamOver, ViewsOfTheInputStayWhileMoreArrives) {
  ASSERT_TRUE(pair.peer->send("view"));
  EXPECT_EQ(more_now(), IoStatus::kReady);
  std::string_view view;
  on_loop([&] { view = stream().input(); });
  ASSERT_TRUE(pair.peer->send(std::string(100'000, 'x')));
  for (int i = 0; i < 5; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    on_loop([&] {
      EXPECT_EQ(view, "view");
      EXPECT_EQ(stream().input(), "view");
    });
  }
}

struct Notified {
  static void call(void* owner, IoStatus status) {
    auto& self = *static_cast<Notified*>(owner);
    self.statuses.push_back(status);
    self.signal.raise();
    if (status == IoStatus::kEnd) self.ended.raise();
    if (status == IoStatus::kBroken) self.broken.raise();
  }
  std::vector<IoStatus> statuses;
  Signal signal;
  Signal ended;
  Signal broken;
};

TEST_P(StreamOver, TellsOfAnEndThatNobodyWaitsForBehindUnreadBytes) {
  Notified notified;
  on_loop([&] { stream().on_unawaited_input(&Notified::call, &notified); });
  ASSERT_TRUE(pair.peer->send("pipelined"));
  ASSERT_TRUE(notified.signal.wait());
  on_loop([&] { EXPECT_EQ(notified.statuses, std::vector{IoStatus::kReady}); });
  pair.peer->shutdown_write();
  EXPECT_TRUE(notified.ended.wait());
  // Nothing was lost.
  EXPECT_EQ(run<std::string>([this] { return read_all(stream()); }), "pipelined");
}

TEST_P(StreamOver, TheOneWhoIsToldMayDropTheStream) {
  struct Owner {
    StreamPtr stream;
    Signal dropped;
    static void call(void* owner, IoStatus) {
      auto& self = *static_cast<Owner*>(owner);
      self.stream = {};
      self.dropped.raise();
    }
  } owner;
  on_loop([&] {
    owner.stream = std::move(pair.stream);
    owner.stream->on_unawaited_input(&Owner::call, &owner);
  });
  ASSERT_TRUE(pair.peer->send("x"));
  EXPECT_TRUE(owner.dropped.wait());
  EXPECT_TRUE(pair.peer->closed_by_peer());
}

TEST_F(StreamTest, TellsOfAResetThatNobodyWaitsFor) {
  connect();
  Notified notified;
  on_loop([&] { stream().on_unawaited_input(&Notified::call, &notified); });
  pair.peer->reset();
  EXPECT_TRUE(notified.broken.wait());
}

TEST_P(StreamOver, AReadThatTimesOutCanBeTriedAgain) {
  EXPECT_EQ(more_now(kShort), IoStatus::kTimedOut);
  ASSERT_TRUE(pair.peer->send("late"));
  EXPECT_EQ(more_now(), IoStatus::kReady);
  EXPECT_EQ(input(), "late");
}

TEST_P(StreamOver, InterruptingEndsTheWaitFromWithinTheCall) {
  std::future<IoStatus> waiting = testing::begin<IoStatus>(loop, [this] { return more(stream(), kLong); });
  on_loop([this] { stream().interrupt_read(); });
  ASSERT_EQ(waiting.wait_for(std::chrono::seconds(0)), std::future_status::ready);
  EXPECT_EQ(waiting.get(), IoStatus::kBroken);
  on_loop([this] { stream().interrupt_read(); });
  ASSERT_TRUE(pair.peer->send("still alive"));
  EXPECT_EQ(more_now(), IoStatus::kReady);
}

TEST_P(StreamOver, ClosingEndsBothWaitsOnALaterTurn) {
  std::string large(kMoreThanSocketsHold, 'x');
  std::future<IoStatus> reading = testing::begin<IoStatus>(loop, [this] { return more(stream(), Milliseconds(0)); });
  std::future<IoStatus> writing =
      testing::begin<IoStatus>(loop, [&] { return write(stream(), large, Milliseconds(0)); });
  on_loop([&] {
    stream().close();
    stream().close();
    EXPECT_EQ(reading.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
    EXPECT_EQ(writing.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  });
  EXPECT_EQ(testing::value_of(std::move(reading)), IoStatus::kBroken);
  EXPECT_EQ(testing::value_of(std::move(writing)), IoStatus::kBroken);
  EXPECT_EQ(more_now(), IoStatus::kBroken);
  EXPECT_EQ(run<IoStatus>([this] { return write(stream(), "x", kLong); }), IoStatus::kBroken);
}

TEST_P(StreamOver, AWriterThatGetsNowhereTimesOut) {
  std::string large(kMoreThanSocketsHold, 'x');
  EXPECT_EQ(run<IoStatus>([&] { return write(stream(), large, kShort); }), IoStatus::kTimedOut);
  on_loop([this] { EXPECT_TRUE(stream().output_broken()); });
}

TEST_P(StreamOver, ASecondWriterFollowsTheFirst) {
  std::string large(kMoreThanSocketsHold, 'x');
  std::future<IoStatus> first = testing::begin<IoStatus>(loop, [&] { return write(stream(), large, kLong); });
  std::future<IoStatus> second = testing::begin<IoStatus>(loop, [&] { return write(stream(), "second", kLong); });
  on_loop([&] {
    EXPECT_EQ(first.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
    std::string_view third = "third";
    iovec piece{const_cast<char*>(third.data()), third.size()};
    std::span<iovec> pieces(&piece, 1);
    EXPECT_FALSE(stream().write_now(pieces));
    EXPECT_EQ(piece.iov_len, third.size());
  });
  std::string received = pair.peer->receive_exactly(large.size() + 6);
  EXPECT_EQ(received.substr(large.size()), "second");
  EXPECT_EQ(testing::value_of(std::move(first)), IoStatus::kReady);
  EXPECT_EQ(testing::value_of(std::move(second)), IoStatus::kReady);
}

TEST_P(StreamOver, ASecondWriterFailsWithTheFirst) {
  std::string large(kMoreThanSocketsHold, 'x');
  std::future<IoStatus> first = testing::begin<IoStatus>(loop, [&] { return write(stream(), large, kLong); });
  std::future<IoStatus> second = testing::begin<IoStatus>(loop, [&] { return write(stream(), "second", kLong); });
  on_loop([this] { stream().close(); });
  EXPECT_EQ(testing::value_of(std::move(first)), IoStatus::kBroken);
  EXPECT_EQ(testing::value_of(std::move(second)), IoStatus::kBroken);
}

TEST_P(StreamOver, GathersPiecesAndSkipsEmptyOnes) {
  on_loop([this] {
    std::array<std::string, 4> texts{"a", "", "bc", "d"};
    std::array<iovec, 4> pieces;
    for (std::size_t i = 0; i < pieces.size(); ++i) pieces[i] = {texts[i].data(), texts[i].size()};
    std::span<iovec> left(pieces);
    EXPECT_TRUE(stream().write_now(left));
    EXPECT_TRUE(left.empty());
  });
  EXPECT_EQ(pair.peer->receive_exactly(4), "abcd");
}

TEST_P(StreamOver, WritingToAPeerThatLeftIsBroken) {
  pair.peer->reset();
  std::string large(1'000'000, 'x');
  std::optional<IoStatus> status;
  // The reset may still be on its way.
  for (int i = 0; i < 100 && status != IoStatus::kBroken; ++i) {
    status = run<IoStatus>([&] { return write(stream(), large, kLong); });
  }
  EXPECT_EQ(status, IoStatus::kBroken);
}

TEST_P(StreamOver, IsSilentUntilThereAreBytesOrAnEnd) {
  on_loop([this] { EXPECT_TRUE(stream().silent()); });
  ASSERT_TRUE(pair.peer->send("x"));
  bool silent = true;
  for (int i = 0; i < 1000 && silent; ++i) on_loop([&] { silent = stream().silent(); });
  EXPECT_FALSE(silent);
  EXPECT_EQ(more_now(), IoStatus::kReady);
  on_loop([this] { EXPECT_TRUE(stream().silent()); });
  pair.peer->close();
  for (int i = 0; i < 1000 && !silent; ++i) on_loop([&] { silent = !stream().silent(); });
  on_loop([this] {
    EXPECT_FALSE(stream().silent());
    stream().close();
    EXPECT_FALSE(stream().silent());
  });
}

TEST_P(StreamOver, AFastPeerLeavesTurnsToOthers) {
  // Somebody else's turns, counted while one stream reads what never runs dry.
  struct Other {
    LoopThread& loop;
    int turns = 0;
    bool stop = false;
    static void turn(void* owner) {
      auto& self = *static_cast<Other*>(owner);
      ++self.turns;
      if (!self.stop) self.loop.next_turn(&Other::turn, owner);
    }
  } other{loop};
  std::string text(20'000'000, 'x');
  std::thread sender([&] {
    EXPECT_TRUE(pair.peer->send(text));
    pair.peer->shutdown_write();
  });
  on_loop([&] { loop.next_turn(&Other::turn, &other); });
  std::optional<std::string> received = run<std::string>([this] { return read_all(stream()); });
  sender.join();
  on_loop([&] { other.stop = true; });
  on_loop([] {});
  EXPECT_EQ(received.value_or("").size(), text.size());
  // 16 reads of at most 64 KiB in a row.
  EXPECT_GE(other.turns, static_cast<int>(text.size() / (17 * BufferPool::kLargeBlockBytes)));
}

TEST_P(StreamOver, AFullBufferIsReportedInsteadOfWaiting) {
  std::string text(2 * BufferPool::kLargeBlockBytes, 'x');
  std::thread sender([&] { EXPECT_TRUE(pair.peer->send(text)); });
  std::size_t before = 1;
  std::size_t after = 0;
  while (after != before) {
    before = after;
    ASSERT_EQ(more_now(), IoStatus::kReady);
    after = input().size();
  }
  EXPECT_EQ(after, BufferPool::kLargeBlockBytes);
  on_loop([this] { stream().consume(BufferPool::kLargeBlockBytes); });
  pair.peer->shutdown_write();
  sender.join();
}

TEST_F(StreamTest, AResetIsSeenAsAReset) {
  connect();
  on_loop([this] { stream().reset(); });
  std::array<char, 1> byte;
  errno = 0;
  EXPECT_LT(::recv(pair.peer->fd(), byte.data(), byte.size(), 0), 0);
  EXPECT_EQ(errno, ECONNRESET);
}

TEST_F(StreamTest, AnIdleStreamHoldsNoBlock) {
  connect();
  ASSERT_TRUE(pair.peer->send("x"));
  EXPECT_EQ(more_now(), IoStatus::kReady);
  const char* block = nullptr;
  on_loop([&] {
    block = stream().input().data();
    stream().consume(1);
    stream().rest();
    EXPECT_EQ(loop.buffers().lease_block(BufferPool::kSmallBlockBytes).get(), block);
  });
}

Task<int> connected(Stream& stream, Milliseconds timeout) {
  int error_number = co_await stream.connected(timeout);
  co_return error_number;
}

TEST_F(StreamTest, AConnectThatHangsTimesOut) {
  FullBacklog full;
  on_loop([&] { pair.stream = StreamPtr(Stream::create(loop, connecting_to(full.port))); });
  EXPECT_EQ(run<int>([this] { return connected(stream(), kShort); }), ETIMEDOUT);
}

TEST_F(StreamTest, AConnectThatHangsEndsWhenClosed) {
  FullBacklog full;
  on_loop([&] { pair.stream = StreamPtr(Stream::create(loop, connecting_to(full.port))); });
  std::future<int> waiting = testing::begin<int>(loop, [this] { return connected(stream(), kLong); });
  on_loop([this] { stream().close(); });
  EXPECT_EQ(testing::value_of(std::move(waiting)), ECANCELED);
}

TEST_F(StreamTest, AConnectThatSucceedsSaysSo) {
  test::RawServer server([](test::RawClient& connection, int) { connection.closed_by_peer(); });
  on_loop([&] { pair.stream = StreamPtr(Stream::create(loop, connecting_to(server.port()))); });
  EXPECT_EQ(run<int>([this] { return connected(stream(), kLong); }), 0);
  on_loop([this] { stream().close(); });
}

}  // namespace
}  // namespace sandgate::net
