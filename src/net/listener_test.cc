// SPDX-License-Identifier: Apache-2.0
#include "net/listener.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "net/testing/loop_fixture.h"

namespace sandgate::net {
namespace {

using testing::LoopTest;
using testing::Signal;

// Takes what is accepted, as far as it has room. On the loop's thread, but for the signals.
class Taker final : public Listener::Sink {
 public:
  bool has_room() override { return sockets.size() < room; }
  void accepted(platform::Descriptor socket, const Address& peer, const Address& local) override {
    sockets.push_back(std::move(socket));
    peers.push_back(peer);
    locals.push_back(local);
    came.raise();
  }
  void paused() override { pauses.raise(); }

  std::size_t room = 1000;
  std::vector<platform::Descriptor> sockets;
  std::vector<Address> peers;
  std::vector<Address> locals;
  Signal came;
  Signal pauses;
};

class ListenerTest : public LoopTest {
 protected:
  ListenerTest() {
    std::string folder = ::testing::TempDir() + "listener_XXXXXX";
    EXPECT_NE(::mkdtemp(folder.data()), nullptr);
    folder_ = folder;
  }
  ~ListenerTest() override {
    on_loop([this] { listener.reset(); });
    ::rmdir(folder_.c_str());
  }

  void listen(std::string_view text) {
    Result<std::unique_ptr<Listener>> made = Listener::create(loop, *parse_listen_address(text), taker);
    ASSERT_TRUE(made) << made.error().detail;
    listener = std::move(*made);
    on_loop([this] { listener->start(); });
  }
  std::string socket_path() const { return folder_ + "/a.sock"; }
  platform::Descriptor connect() const {
    const Address& address = listener->address();
    platform::Descriptor socket(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    int result = ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.length);
    EXPECT_EQ(result, 0);
    return socket;
  }

  Taker taker;
  std::unique_ptr<Listener> listener;
  std::string folder_;
};

TEST_F(ListenerTest, AcceptsOnAPortThatTheSystemChose) {
  listen("127.0.0.1:0");
  EXPECT_NE(listener->address().port(), 0);
  platform::Descriptor client = connect();
  ASSERT_TRUE(taker.came.wait());
  on_loop([this] {
    EXPECT_EQ(taker.locals[0].text(), listener->address().text());
    EXPECT_EQ(taker.peers[0].host_text(), "127.0.0.1");
    EXPECT_NE(taker.peers[0].port(), 0);
  });
}

TEST_F(ListenerTest, KnowsItsOwnAddressBehindTheAnyAddress) {
  listen("0.0.0.0:0");
  std::uint16_t port = listener->address().port();
  test::RawClient client(port);
  ASSERT_TRUE(taker.came.wait());
  on_loop([&] { EXPECT_EQ(taker.locals[0].text(), "127.0.0.1:" + std::to_string(port)); });
}

TEST_F(ListenerTest, AcceptsOnAUnixSocketAndRemovesItsFile) {
  listen("unix:" + socket_path());
  platform::Descriptor client = connect();
  ASSERT_TRUE(taker.came.wait());
  on_loop([this] {
    EXPECT_TRUE(taker.peers[0].is_loopback());
    EXPECT_EQ(taker.peers[0].host_text(), "unix");
    listener->stop(Listener::Backlog::kReset);
  });
  EXPECT_NE(::access(socket_path().c_str(), F_OK), 0);
}

TEST_F(ListenerTest, ReplacesASocketFileThatNobodyListensOn) {
  sockaddr_storage address = parse_listen_address("unix:" + socket_path())->storage;
  {
    platform::Descriptor stale(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::bind(stale.get(), reinterpret_cast<sockaddr*>(&address), sizeof(sockaddr_un)), 0);
  }
  listen("unix:" + socket_path());
  platform::Descriptor client = connect();
  EXPECT_TRUE(taker.came.wait());
}

TEST_F(ListenerTest, LeavesAnotherServersSocketFileAndOtherFilesAlone) {
  listen("unix:" + socket_path());
  Taker other;
  Result<std::unique_ptr<Listener>> second = Listener::create(loop, listener->address(), other);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::kOverloaded);
  platform::Descriptor client = connect();
  EXPECT_TRUE(taker.came.wait());
  std::string file = folder_ + "/file";
  ASSERT_EQ(::mkdir(file.c_str(), 0700), 0);
  EXPECT_FALSE(Listener::create(loop, *parse_listen_address("unix:" + file), other));
  EXPECT_EQ(::rmdir(file.c_str()), 0);
}

TEST_F(ListenerTest, AcceptsMoreThanABatchAtOnce) {
  listen("127.0.0.1:0");
  Signal busy;
  Signal go_on;
  loop.post([&] {
    busy.raise();
    go_on.wait();
  });
  ASSERT_TRUE(busy.wait());
  constexpr int kClients = 3 * Listener::kBatch + 1;
  std::vector<platform::Descriptor> clients;
  for (int i = 0; i < kClients; ++i) clients.push_back(connect());
  go_on.raise();
  EXPECT_TRUE(taker.came.wait(kClients));
}

TEST_F(ListenerTest, PausesWithoutRoomAndGoesOnByItself) {
  taker.room = 1;
  listen("127.0.0.1:0");
  platform::Descriptor first = connect();
  platform::Descriptor second = connect();
  ASSERT_TRUE(taker.pauses.wait());
  EXPECT_EQ(taker.came.count(), 1);
  on_loop([this] { taker.room = 2; });
  EXPECT_TRUE(taker.came.wait(2));
  platform::Descriptor third = connect();
  on_loop([this] { taker.room = 3; });
  EXPECT_TRUE(taker.came.wait(3));
}

TEST_F(ListenerTest, StoppingAcceptsTheBacklogWhenAsked) {
  listen("127.0.0.1:0");
  std::vector<platform::Descriptor> clients;
  on_loop([&] {
    for (int i = 0; i < 5; ++i) clients.push_back(connect());
    listener->stop(Listener::Backlog::kAccept);
    EXPECT_EQ(taker.sockets.size(), 5U);
    listener->stop(Listener::Backlog::kAccept);
  });
}

TEST_F(ListenerTest, SharesItsSocketWithAnotherThatGetsTheBacklog) {
  listen("unix:" + socket_path());
  Result<ListeningSocket> shared = listener->share();
  ASSERT_TRUE(shared) << shared.error().detail;
  EXPECT_EQ(shared->address.text(), "unix:" + socket_path());
  Taker other;
  std::unique_ptr<Listener> heir = Listener::adopt(loop, *std::move(shared), other);
  on_loop([&] {
    platform::Descriptor waiting = connect();
    listener->stop(Listener::Backlog::kShared);
    EXPECT_TRUE(taker.sockets.empty());
    heir->start();
  });
  EXPECT_TRUE(other.came.wait());
  platform::Descriptor later = connect();
  EXPECT_TRUE(other.came.wait(2));
  on_loop([&] { heir.reset(); });
  EXPECT_EQ(::access(socket_path().c_str(), F_OK), 0) << "the file is not the heir's";
  ::unlink(socket_path().c_str());
}

TEST_F(ListenerTest, TellsThatItsPortWasChosen) {
  listen("127.0.0.1:0");
  EXPECT_EQ(listener->share()->asked, "127.0.0.1:0");
}

TEST_F(ListenerTest, StoppingBeforeTheStartOrDuringAPauseIsFine) {
  taker.room = 0;
  listen("127.0.0.1:0");
  platform::Descriptor client = connect();
  ASSERT_TRUE(taker.pauses.wait());
  on_loop([this] { listener->stop(Listener::Backlog::kAccept); });
  int pauses = taker.pauses.count();
  Result<std::unique_ptr<Listener>> unstarted = Listener::create(loop, *parse_listen_address("127.0.0.1:0"), taker);
  ASSERT_TRUE(unstarted);
  on_loop([&] {
    (*unstarted)->stop(Listener::Backlog::kAccept);
    (*unstarted)->start();
    unstarted->reset();
  });
  std::this_thread::sleep_for(2 * Listener::kPause);
  EXPECT_EQ(taker.pauses.count(), pauses);
}

}  // namespace
}  // namespace sandgate::net
