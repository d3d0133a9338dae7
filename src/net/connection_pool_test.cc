// SPDX-License-Identifier: Apache-2.0
#include "net/connection_pool.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "net/testing/loop_fixture.h"
#include "tests/support/raw_server.h"

namespace sandgate::net {
namespace {

using test::RawClient;
using test::RawServer;
using testing::LoopTest;
using testing::Signal;

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

Address loopback(std::uint16_t port) { return *resolve("127.0.0.1", port); }

// One GET on a leased connection; the body of the answer, or what went wrong.
Task<std::string> get(const Lease& lease, Arena& arena) {
  http::RequestHead request(arena);
  request.method = "GET";
  request.path = "/";
  request.authority = "a";
  ClientConnection& connection = lease.connection();
  Status sent = co_await connection.write_head(request, {}, false, {});
  if (!sent) co_return "write: " + std::string(error_kind_name(sent.error().kind));
  http::ResponseHead head(arena);
  Status received = co_await connection.read_head("GET", head);
  if (!received) co_return "head: " + std::string(error_kind_name(received.error().kind));
  std::string body;
  for (;;) {
    Result<std::string_view> piece = co_await connection.body().read();
    if (!piece) co_return "body: " + std::string(error_kind_name(piece.error().kind));
    if (piece->empty()) break;
    body += *piece;
  }
  co_return body;
}

struct Fetched {
  std::string body;
  bool reused = false;
  ErrorKind error = ErrorKind::kInternal;
  bool failed = false;
};

Task<Fetched> fetch(ConnectionPool& pool, Cancellation& cancellation, bool fresh) {
  Fetched fetched;
  Result<Lease> lease = co_await pool.lease(cancellation, fresh);
  if (!lease) {
    fetched.failed = true;
    fetched.error = lease.error().kind;
    co_return fetched;
  }
  fetched.reused = lease->reused();
  Arena arena;
  fetched.body = co_await get(*lease, arena);
  co_return fetched;
}

class ConnectionPoolTest : public LoopTest {
 protected:
  ~ConnectionPoolTest() override {
    on_loop([this] { pool.reset(); });
  }
  void make_pool(const Address& server, const PoolOptions& options = {}) {
    on_loop([&] { pool = ConnectionPool::create(loop, {server}, options); });
  }
  Fetched fetch_one(bool fresh = false) {
    std::optional<Fetched> fetched = run<Fetched>([&] { return fetch(*pool, cancellation, fresh); });
    EXPECT_TRUE(fetched);
    return fetched.value_or(Fetched());
  }
  std::size_t idle() {
    std::size_t count = 0;
    on_loop([&] { count = pool->idle(); });
    return count;
  }
  bool wait_until_idle_is(std::size_t count) {
    for (int i = 0; i < 4000 && idle() != count; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return idle() == count;
  }

  std::unique_ptr<ConnectionPool> pool;
  Cancellation cancellation;
};

TEST_F(ConnectionPoolTest, AConnectionServesOneExchangeAfterTheOther) {
  RawServer server(RawServer::answering(kOk));
  make_pool(loopback(server.port()));
  EXPECT_FALSE(fetch_one().reused);
  for (int i = 0; i < 10; ++i) {
    Fetched fetched = fetch_one();
    EXPECT_EQ(fetched.body, "ok");
    EXPECT_TRUE(fetched.reused);
  }
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(idle(), 1U);
}

TEST_F(ConnectionPoolTest, AFreshOneIsNew) {
  RawServer server(RawServer::answering(kOk));
  make_pool(loopback(server.port()));
  fetch_one();
  Fetched fetched = fetch_one(true);
  EXPECT_FALSE(fetched.reused);
  EXPECT_EQ(fetched.body, "ok");
  EXPECT_EQ(server.connections(), 2);
  EXPECT_EQ(idle(), 2U);
}

TEST_F(ConnectionPoolTest, ARefusedConnectionIsAnUpstreamError) {
  std::uint16_t port = 0;
  {
    RawServer server([](RawClient&, int) {});
    port = server.port();
  }
  make_pool(loopback(port));
  Fetched fetched = fetch_one();
  EXPECT_TRUE(fetched.failed);
  EXPECT_EQ(fetched.error, ErrorKind::kUpstream);
}

TEST_F(ConnectionPoolTest, AMissingUnixSocketIsAnUpstreamError) {
  make_pool(*parse_listen_address("unix:/nowhere/upstream.sock"));
  EXPECT_EQ(fetch_one().error, ErrorKind::kUpstream);
}

TEST_F(ConnectionPoolTest, AConnectThatHangsTimesOutOrIsCancelled) {
  testing::FullBacklog full;
  PoolOptions options;
  options.connect = Milliseconds(50);
  make_pool(loopback(full.port), options);
  EXPECT_EQ(fetch_one().error, ErrorKind::kTimedOut);
  options.connect = std::chrono::seconds(20);
  make_pool(loopback(full.port), options);
  std::future<Fetched> waiting = testing::begin<Fetched>(loop, [&] { return fetch(*pool, cancellation, false); });
  on_loop([this] { cancellation.cancel(ErrorKind::kDisconnected, "gone"); });
  std::optional<Fetched> cancelled = testing::value_of(std::move(waiting));
  ASSERT_TRUE(cancelled);
  EXPECT_EQ(cancelled->error, ErrorKind::kDisconnected);
}

TEST_F(ConnectionPoolTest, ACancelledExchangeGetsNoConnection) {
  RawServer server(RawServer::answering(kOk));
  make_pool(loopback(server.port()));
  on_loop([this] { cancellation.cancel(ErrorKind::kDisconnected, "gone"); });
  EXPECT_EQ(fetch_one().error, ErrorKind::kDisconnected);
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(ConnectionPoolTest, AnIdleConnectionThatTheServerClosesIsDropped) {
  Signal close;
  RawServer server([&](RawClient& connection, int) {
    RawServer::receive_request(connection);
    connection.send(kOk);
    close.wait();
  });
  make_pool(loopback(server.port()));
  EXPECT_EQ(fetch_one().body, "ok");
  EXPECT_EQ(idle(), 1U);
  close.raise();
  EXPECT_TRUE(wait_until_idle_is(0));
}

TEST_F(ConnectionPoolTest, AnIdleConnectionThatSpeaksUnaskedIsDropped) {
  Signal speak;
  Signal spoke;
  RawServer server([&](RawClient& connection, int) {
    RawServer::receive_request(connection);
    connection.send(kOk);
    speak.wait();
    connection.send("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
    spoke.raise();
    connection.closed_by_peer();
  });
  make_pool(loopback(server.port()));
  EXPECT_EQ(fetch_one().body, "ok");
  speak.raise();
  ASSERT_TRUE(spoke.wait());
  EXPECT_TRUE(wait_until_idle_is(0));
}

// The bytes are there, but the loop was not told yet: it is busy with what leads to the lease.
TEST_F(ConnectionPoolTest, BytesThatTheLoopDoesNotKnowOfYetAreNeverTakenForAnAnswer) {
  Signal speak;
  Signal spoke;
  RawServer server([&](RawClient& connection, int number) {
    RawServer::receive_request(connection);
    connection.send(kOk);
    if (number == 0) {
      speak.wait();
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstale");
      spoke.raise();
    }
    connection.closed_by_peer();
  });
  make_pool(loopback(server.port()));
  EXPECT_EQ(fetch_one().body, "ok");
  auto result = std::make_shared<std::promise<Fetched>>();
  std::future<Fetched> future = result->get_future();
  loop.post([&, result] {
    speak.raise();
    spoke.wait();
    testing::await_into(fetch(*pool, cancellation, false), result);
  });
  std::optional<Fetched> fetched = testing::value_of(std::move(future));
  ASSERT_TRUE(fetched);
  EXPECT_EQ(fetched->body, "ok");
  EXPECT_FALSE(fetched->reused);
}

TEST_F(ConnectionPoolTest, AnEndThatTheLoopDoesNotKnowOfYetIsFoundBeforeTheRequest) {
  Signal close;
  Signal closed;
  RawServer server([&](RawClient& connection, int number) {
    RawServer::receive_request(connection);
    connection.send(kOk);
    if (number == 0) {
      close.wait();
      connection.close();
      closed.raise();
    } else {
      connection.closed_by_peer();
    }
  });
  make_pool(loopback(server.port()));
  EXPECT_EQ(fetch_one().body, "ok");
  auto result = std::make_shared<std::promise<Fetched>>();
  std::future<Fetched> future = result->get_future();
  loop.post([&, result] {
    close.raise();
    closed.wait();
    testing::await_into(fetch(*pool, cancellation, false), result);
  });
  std::optional<Fetched> fetched = testing::value_of(std::move(future));
  ASSERT_TRUE(fetched);
  EXPECT_EQ(fetched->body, "ok");
  EXPECT_FALSE(fetched->reused);
}

TEST_F(ConnectionPoolTest, OnlyConnectionsInAKnownStateComeBack) {
  struct Case {
    std::string_view answer;
    std::string_view body;
  };
  for (const Case& a : {
           Case{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", "ok"},
           Case{"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok"},
           Case{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstale",
                "ok"},
           Case{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok\n", "ok"},
           Case{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nrest", "ok"},
           Case{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokXX", "body: upstream"},
           Case{"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nok", "head: upstream"},
           Case{"garbage\r\n\r\n", "head: upstream"},
       }) {
    RawServer server(RawServer::answering(a.answer));
    make_pool(loopback(server.port()));
    EXPECT_EQ(fetch_one().body, a.body) << a.answer;
    EXPECT_EQ(idle(), 0U) << a.answer;
    on_loop([this] { pool.reset(); });
  }
}

TEST_F(ConnectionPoolTest, ALeaseThatIsNotUsedUpComesBackOnlyIfNothingWasBegun) {
  RawServer server(RawServer::answering("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n12345"));
  make_pool(loopback(server.port()));
  struct Leaver {
    static Task<int> leave(ConnectionPool& pool, Cancellation& cancellation) {
      Result<Lease> lease = co_await pool.lease(cancellation, false);
      Arena arena;
      http::RequestHead request(arena);
      request.method = "GET";
      request.path = "/";
      request.authority = "a";
      Status sent = co_await lease->connection().write_head(request, {}, false, {});
      http::ResponseHead head(arena);
      if (sent) sent = co_await lease->connection().read_head("GET", head);
      co_return head.status;
    }
  };
  EXPECT_EQ(run<int>([&] { return Leaver::leave(*pool, cancellation); }), 200);
  EXPECT_EQ(idle(), 0U);
}

struct Holder {
  static Task<int> hold(ConnectionPool& pool, Cancellation& cancellation, std::vector<Lease>& leases) {
    Result<Lease> lease = co_await pool.lease(cancellation, false);
    if (!lease) co_return 0;
    Arena arena;
    std::string body = co_await get(*lease, arena);
    leases.push_back(std::move(*lease));
    co_return body == "ok" ? 1 : 0;
  }
};

TEST_F(ConnectionPoolTest, KeepsAtMostSoManyAndClosesTheOldest) {
  RawServer server(RawServer::answering(kOk));
  PoolOptions options;
  options.idle_max = 3;
  make_pool(loopback(server.port()), options);
  std::vector<Lease> leases;
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(run<int>([&] { return Holder::hold(*pool, cancellation, leases); }), 1);
  }
  EXPECT_EQ(server.connections(), 5);
  on_loop([&] {
    leases.clear();
    EXPECT_EQ(pool->idle(), 3U);
    pool->close_idle();
    EXPECT_EQ(pool->idle(), 0U);
  });
}

TEST_F(ConnectionPoolTest, AnAllowanceOfNoneKeepsNone) {
  RawServer server(RawServer::answering(kOk));
  PoolOptions options;
  options.idle_max = 0;
  make_pool(loopback(server.port()), options);
  EXPECT_EQ(fetch_one().body, "ok");
  EXPECT_EQ(fetch_one().body, "ok");
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(ConnectionPoolTest, ClosesWhatWasIdleForLong) {
  RawServer server(RawServer::answering(kOk));
  PoolOptions options;
  options.idle = Milliseconds(50);
  make_pool(loopback(server.port()), options);
  EXPECT_EQ(fetch_one().body, "ok");
  EXPECT_EQ(idle(), 1U);
  EXPECT_TRUE(wait_until_idle_is(0));
}

TEST_F(ConnectionPoolTest, MayEndWithIdleConnections) {
  RawServer server(RawServer::answering(kOk));
  make_pool(loopback(server.port()));
  fetch_one();
  fetch_one(true);
  on_loop([this] { pool.reset(); });
}

}  // namespace
}  // namespace sandgate::net
