// SPDX-License-Identifier: Apache-2.0
//
// Upstream servers that are sick, over real sockets: what the client sees, and what the gateway makes of it.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/upstream_gateway.h"
#include "tests/support/http_client.h"
#include "tests/support/raw_server.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tls_server.h"

namespace sandgate::test {
namespace {

using gateway::ServerView;

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// A port where nobody listens.
std::uint16_t closed_port() {
  RawServer server([](RawClient&, int) {});
  return server.port();
}

bool contains(const std::string& text, std::string_view needle) { return text.find(needle) != std::string::npos; }

// What a client gets of a server that sends `answer` and then closes, or resets.
enum class End : bool { kClose, kReset };
Received answer_of(std::string_view answer, End end = End::kClose) {
  RawServer server([&](RawClient& connection, int) {
    if (RawServer::receive_request(connection).empty()) return;
    connection.send(answer);
    if (end == End::kReset) connection.reset();
  });
  UpstreamGateway gateway(upstream_options({server.port()}));
  return get(gateway.port(), "/");
}

TEST(UpstreamFaults, ARefusedConnectionIsTheNextServersRequest) {
  RawServer good(RawServer::answering(kOk));
  UpstreamGateway gateway(upstream_options({closed_port(), good.port()}));
  for (int i = 0; i < 6; ++i) EXPECT_EQ(fetch(gateway.port(), "POST", "/", {}, "body").status, 200);
  EXPECT_TRUE(gateway.view(0).ejected);
  EXPECT_EQ(gateway.view(0).failures, 1U) << "left alone after the first";
  EXPECT_EQ(gateway.view(1).retries, 1U);
}

TEST(UpstreamFaults, WithoutAServerThatCanBeReachedItIs502) {
  UpstreamGateway gateway(upstream_options({closed_port()}));
  Received response = get(gateway.port(), "/");
  EXPECT_EQ(response.status, 502);
  EXPECT_TRUE(contains(response.body, "no upstream could be reached"));
  EXPECT_FALSE(contains(response.body, "127.0.0.1")) << "where servers are is nobody's business";
}

TEST(UpstreamFaults, AResetBeforeTheAnswerIsRetriedElsewhereForGetOnly) {
  RawServer sick([](RawClient& connection, int) {
    RawServer::receive_request(connection);
    connection.reset();
  });
  RawServer good(RawServer::answering(kOk));
  gateway::UpstreamOptions options = upstream_options({sick.port(), good.port()});
  options.ejection.failures = 0;
  UpstreamGateway gateway(options);
  EXPECT_EQ(get(gateway.port(), "/").status, 200);
  EXPECT_EQ(gateway.view(1).retries, 1U);
  get(gateway.port(), "/");
  int failed = 0;
  for (int i = 0; i < 2; ++i) failed += fetch(gateway.port(), "POST", "/", {}, "x").status == 502 ? 1 : 0;
  EXPECT_EQ(failed, 1);
}

TEST(UpstreamFaults, AResetInTheMiddleOfTheHeadIs502) {
  EXPECT_EQ(answer_of("HTTP/1.1 200 OK\r\nContent-", End::kReset).status, 502);
  EXPECT_EQ(answer_of("HTTP/1.1 200 OK\r\nContent-").status, 502);
}

TEST(UpstreamFaults, AResetInTheMiddleOfTheBodyEndsTheAnswerVisibly) {
  for (End end : {End::kClose, End::kReset}) {
    Received response = answer_of("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", end);
    EXPECT_FALSE(response.complete);
    Received chunked = answer_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", end);
    EXPECT_FALSE(chunked.complete);
  }
}

TEST(UpstreamFaults, GarbageIs502) {
  EXPECT_EQ(answer_of("SSH-2.0-OpenSSH_9.2\r\n").status, 502);
  EXPECT_EQ(answer_of(std::string(4096, '\0')).status, 502);
  EXPECT_EQ(answer_of("HTTP/1.1 2000 OK\r\n\r\n").status, 502);
  EXPECT_EQ(answer_of("").status, 502);
}

TEST(UpstreamFaults, WrongLengthsAre502) {
  EXPECT_EQ(answer_of("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n").status, 502);
  EXPECT_EQ(answer_of("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab").status, 502);
  EXPECT_EQ(answer_of("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n").status, 502);
  EXPECT_EQ(answer_of("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").status,
            502);
}

TEST(UpstreamFaults, BytesBeyondTheLengthAreNobodysAnswer) {
  RawServer server(RawServer::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 Smuggled\r\n\r\n"));
  UpstreamGateway gateway(upstream_options({server.port()}));
  for (int i = 0; i < 4; ++i) {
    Received response = get(gateway.port(), "/");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "ok");
  }
}

TEST(UpstreamFaults, AnEndlessHeadIs502) {
  RawServer server([](RawClient& connection, int) {
    RawServer::receive_request(connection);
    if (!connection.send("HTTP/1.1 200 OK\r\n")) return;
    while (connection.send("X-More: " + std::string(1000, 'x') + "\r\n")) {}
  });
  UpstreamGateway gateway(upstream_options({server.port()}));
  EXPECT_EQ(get(gateway.port(), "/").status, 502);
}

TEST(UpstreamFaults, AHeadThatDripsIsBoundedInAll) {
  RawServer server([](RawClient& connection, int) {
    RawServer::receive_request(connection);
    while (connection.send("H")) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  });
  gateway::UpstreamOptions options = upstream_options({server.port()});
  options.timeouts.first_byte = Milliseconds(200);
  UpstreamGateway gateway(options);
  int status = get(gateway.port(), "/").status;
  EXPECT_TRUE(status == 504 || status == 502) << status;
}

TEST(UpstreamFaults, ASilentServerIs504) {
  RawServer server([](RawClient& connection, int) { connection.receive_all(); });
  gateway::UpstreamOptions options = upstream_options({server.port()});
  options.timeouts.first_byte = Milliseconds(100);
  UpstreamGateway gateway(options);
  EXPECT_EQ(get(gateway.port(), "/").status, 504);
}

TEST(UpstreamFaults, AStallInTheMiddleOfTheBodyEndsTheAnswer) {
  RawServer server([](RawClient& connection, int) {
    RawServer::receive_request(connection);
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    connection.receive_all();
  });
  gateway::UpstreamOptions options = upstream_options({server.port()});
  options.timeouts.idle = Milliseconds(100);
  UpstreamGateway gateway(options);
  Received response = get(gateway.port(), "/");
  EXPECT_FALSE(response.complete);
}

TEST(UpstreamFaults, TheWholeTimeIsBoundedHoweverSteadilyItDrips) {
  RawServer server([](RawClient& connection, int) {
    RawServer::receive_request(connection);
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
    while (connection.send("x")) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  });
  gateway::UpstreamOptions options = upstream_options({server.port()});
  options.timeouts.total = Milliseconds(200);
  UpstreamGateway gateway(options);
  EXPECT_FALSE(get(gateway.port(), "/").complete);
  RawServer silent([](RawClient& connection, int) { connection.receive_all(); });
  gateway::UpstreamOptions late = upstream_options({silent.port()});
  late.timeouts.total = Milliseconds(100);
  UpstreamGateway second(late);
  Received response = get(second.port(), "/");
  EXPECT_EQ(response.status, 504);
  EXPECT_TRUE(contains(response.body, "took too long in all"));
}

TEST(UpstreamFaults, AServerThatBreaksItsAnswersIsLeftAlone) {
  RawServer sick([](RawClient& connection, int) {
    RawServer::receive_request(connection);
    connection.send("nonsense\r\n\r\n");
  });
  RawServer good(RawServer::answering(kOk));
  gateway::UpstreamOptions options = upstream_options({sick.port(), good.port()});
  options.ejection.failures = 3;
  options.ejection.time = options.ejection.time_max = Milliseconds(60'000);
  UpstreamGateway gateway(options);
  int failed = 0;
  for (int i = 0; i < 20; ++i) failed += get(gateway.port(), "/").status == 502 ? 1 : 0;
  EXPECT_EQ(failed, 3);
  EXPECT_TRUE(gateway.view(0).ejected);
}

TEST(UpstreamFaults, AServerThatDiesUnderLoadFailsNoIdempotentRequest) {
  RawServer good(RawServer::answering(kOk));
  auto dying = std::make_unique<RawServer>(RawServer::answering(kOk));
  UpstreamGateway gateway(upstream_options({good.port(), dying->port()}), 2);
  std::atomic<int> served{0};
  std::atomic<int> failed{0};
  std::atomic<bool> over{false};
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&] {
      RawClient client(gateway.port());
      while (!over) {
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        Received response = client.receive_response();
        (response.status == 200 && response.complete ? served : failed)++;
        if (response.status == 0) return;
      }
    });
  }
  while (served < 500 && failed == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  dying.reset();
  int so_far = served;
  while (served < so_far + 500 && failed == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  over = true;
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(failed, 0);
  EXPECT_TRUE(gateway.view(1).ejected);
}

TEST(UpstreamHealth, ProbesTakeAServerOutAndBackIn) {
  std::atomic<bool> well{true};
  std::mutex mutex;
  std::string probe;
  RawServer server([&](RawClient& connection, int) {
    for (;;) {
      std::string request = RawServer::receive_request(connection);
      if (request.empty()) return;
      bool is_probe = request.starts_with("GET /ready?deep=1 ");
      if (is_probe) {
        std::lock_guard lock(mutex);
        probe = request;
      }
      connection.send(is_probe && !well ? "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n" : kOk);
    }
  });
  RawServer other(RawServer::answering(kOk));
  gateway::UpstreamOptions options = upstream_options({server.port(), other.port()});
  options.health_check.emplace();
  options.health_check->path = "/ready?deep=1";
  options.health_check->host = "probe.example";
  options.health_check->interval = Milliseconds(10);
  UpstreamGateway gateway(options, 2);
  EXPECT_TRUE(gateway.wait_until(0, [](const ServerView& view) { return view.probes_passed >= 2; }));
  EXPECT_TRUE(gateway.view(0).healthy);
  well = false;
  EXPECT_TRUE(gateway.wait_until(0, [](const ServerView& view) { return !view.healthy; }));
  EXPECT_GE(gateway.view(0).probes_failed, 3U);
  std::uint64_t before = gateway.view(0).requests;
  for (int i = 0; i < 4; ++i) EXPECT_EQ(get(gateway.port(), "/").status, 200);
  EXPECT_EQ(gateway.view(0).requests, before);
  well = true;
  EXPECT_TRUE(gateway.wait_until(0, [](const ServerView& view) { return view.healthy; }));
  std::lock_guard lock(mutex);
  EXPECT_TRUE(contains(probe, "Host: probe.example\r\n")) << probe;
}

TEST(UpstreamHealth, AServerThatDoesNotAnswerProbesInTimeIsOut) {
  RawServer silent([](RawClient& connection, int) { connection.receive_all(); });
  gateway::UpstreamOptions options = upstream_options({silent.port(), closed_port()});
  options.health_check.emplace();
  options.health_check->interval = Milliseconds(5);
  options.health_check->timeout = Milliseconds(30);
  UpstreamGateway gateway(options);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_TRUE(gateway.wait_until(i, [](const ServerView& view) { return !view.healthy; })) << i;
  }
}

// A server that answers when it is told to.
class HeldServer {
 public:
  HeldServer()
      : server_([this](RawClient& connection, int) {
          while (!RawServer::receive_request(connection).empty()) {
            ++arrived;
            while (!open_) std::this_thread::sleep_for(std::chrono::milliseconds(2));
            if (!connection.send(kOk)) return;
          }
        }) {}
  ~HeldServer() { open_ = true; }
  std::uint16_t port() const { return server_.port(); }
  void open() { open_ = true; }
  int connections() const { return server_.connections(); }
  std::atomic<int> arrived{0};

 private:
  std::atomic<bool> open_{false};
  RawServer server_;
};

TEST(UpstreamBounds, RequestsWaitForAConnectionAndAllAreServed) {
  HeldServer server;
  gateway::UpstreamOptions options = upstream_options({server.port()});
  options.connections.connections_max = 2;
  options.connections.waiting = Milliseconds(20'000);
  UpstreamGateway gateway(options, 2);
  std::atomic<int> served{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 12; ++i) {
    clients.emplace_back([&] { served += get(gateway.port(), "/").status == 200 ? 1 : 0; });
  }
  for (int i = 0; i < 4000 && gateway.upstream().waiting() < 10; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(gateway.upstream().waiting(), 10U);
  EXPECT_EQ(gateway.view(0).connections, 2U);
  EXPECT_EQ(server.arrived, 2);
  server.open();
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(served, 12);
  EXPECT_LE(gateway.view(0).connections, 2U);
}

TEST(UpstreamBounds, AFullWaitingRoomIs503WithRetryAfterAtOnce) {
  HeldServer server;
  gateway::UpstreamOptions options = upstream_options({server.port()});
  options.connections.connections_max = 1;
  options.connections.waiting_max = 0;
  UpstreamGateway gateway(options);
  std::thread first([&] { EXPECT_EQ(get(gateway.port(), "/").status, 200); });
  while (server.arrived < 1) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  Received refused = get(gateway.port(), "/");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.field("retry-after"), "1");
  EXPECT_TRUE(contains(refused.body, "too many requests wait"));
  server.open();
  first.join();
}

TEST(UpstreamBounds, AWaitThatTakesTooLongIs503) {
  HeldServer server;
  gateway::UpstreamOptions options = upstream_options({server.port()});
  options.connections.connections_max = 1;
  options.connections.waiting = Milliseconds(50);
  UpstreamGateway gateway(options);
  std::thread first([&] { EXPECT_EQ(get(gateway.port(), "/").status, 200); });
  while (server.arrived < 1) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  Received refused = get(gateway.port(), "/");
  EXPECT_EQ(refused.status, 503);
  EXPECT_TRUE(contains(refused.body, "busy for too long"));
  server.open();
  first.join();
}

TEST(UpstreamBounds, AFullServerIsPassedBy) {
  HeldServer held;
  RawServer good(RawServer::answering(kOk));
  gateway::UpstreamOptions options = upstream_options({held.port(), good.port()});
  options.connections.connections_max = 1;
  UpstreamGateway gateway(options);
  std::thread first([&] { EXPECT_EQ(get(gateway.port(), "/").status, 200); });
  while (held.arrived < 1) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(get(gateway.port(), "/").status, 200);
  held.open();
  first.join();
}

TEST(UpstreamNames, AServerThatMovesIsFoundAgain) {
  RawServer old_place(RawServer::answering("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold"));
  RawServer new_place(RawServer::answering("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnew"));
  std::atomic<bool> moved{false};
  std::atomic<bool> gone{false};
  gateway::UpstreamOptions options;
  options.servers.push_back({.host = "worker.example", .port = 80});
  options.resolve = Milliseconds(20);
  UpstreamGateway gateway(options, 2, [&](std::string_view, std::uint16_t) -> Result<std::vector<net::Address>> {
    if (gone) return fail(ErrorKind::kNotFound, "no address for the name worker.example");
    return std::vector<net::Address>{*net::resolve("127.0.0.1", moved ? new_place.port() : old_place.port())};
  });
  EXPECT_EQ(get(gateway.port(), "/").body, "old");
  moved = true;
  std::string body;
  for (int i = 0; i < 1000 && body != "new"; ++i) {
    body = get(gateway.port(), "/").body;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(body, "new");
  gone = true;
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(get(gateway.port(), "/").body, "new") << "the last address stays";
}

TEST(UpstreamDrain, ADrainedServerFinishesWhatItHasAndGetsNoMore) {
  HeldServer held;
  RawServer good(RawServer::answering(kOk));
  UpstreamGateway gateway(upstream_options({held.port(), good.port()}));
  std::thread first([&] { EXPECT_EQ(get(gateway.port(), "/").status, 200); });
  while (held.arrived < 1) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  gateway.upstream().servers()[0]->set_draining(true);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(get(gateway.port(), "/").status, 200);
  EXPECT_EQ(held.arrived, 1);
  EXPECT_EQ(gateway.view(0).active, 1U);
  EXPECT_TRUE(gateway.view(0).draining);
  held.open();
  first.join();
  EXPECT_TRUE(gateway.wait_until(0, [](const ServerView& view) { return view.active == 0; }));
}

// TLS.

class UpstreamTls : public ::testing::Test {
 protected:
  UpstreamTls() { folder.write("ca.pem", authority.pem()); }
  gateway::UpstreamOptions options(std::uint16_t port) const {
    gateway::UpstreamOptions options = upstream_options({port});
    options.servers[0].scheme = gateway::Scheme::kHttps;
    options.tls.ca_file = folder.path() + "/ca.pem";
    return options;
  }
  static int status_of(const gateway::UpstreamOptions& options) {
    UpstreamGateway gateway(options);
    Received response = get(gateway.port(), "/");
    EXPECT_FALSE(contains(response.body, "certificate")) << response.body;
    return response.status;
  }

  TestAuthority authority;
  TemporaryFolder folder;
};

TEST_F(UpstreamTls, AServerOfAKnownAuthorityIsTalkedTo) {
  TlsServer server(authority, {});
  UpstreamGateway gateway(options(server.port()));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(get(gateway.port(), "/").body, "new");
  EXPECT_EQ(gateway.view(0).connections, 1U) << "kept";
  EXPECT_EQ(server.asked_for(), "") << "an address is no name to ask for";
  Received big = get(gateway.port(), "/big");
  EXPECT_EQ(big.body, std::string(1 << 20, 'x'));
  EXPECT_EQ(fetch(gateway.port(), "POST", "/", {}, std::string(1 << 20, 'y')).status, 200);
}

TEST_F(UpstreamTls, ANameIsAskedForAndVerified) {
  TlsServer server(authority, {.subject = "DNS:api.example"});
  gateway::UpstreamOptions named = options(server.port());
  EXPECT_EQ(status_of(named), 502) << "another name";
  named.tls.server_name = "api.example";
  EXPECT_EQ(status_of(named), 200);
  EXPECT_EQ(server.asked_for(), "api.example");
}

TEST_F(UpstreamTls, AnExpiredOrUnknownCertificateIs502) {
  TlsServer expired(authority, {.valid_until_s = -60});
  EXPECT_EQ(status_of(options(expired.port())), 502);
  TestAuthority stranger;
  TlsServer unknown(stranger, {});
  EXPECT_EQ(status_of(options(unknown.port())), 502);
  gateway::UpstreamOptions trusting = options(unknown.port());
  trusting.tls.verify = gateway::UpstreamTlsOptions::Verify::kOff;
  EXPECT_EQ(status_of(trusting), 200);
}

TEST_F(UpstreamTls, AServerWithoutTlsIs502AndASilentOneIs504) {
  RawServer plain([](RawClient& connection, int) {
    connection.receive_some();
    connection.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
  });
  EXPECT_EQ(status_of(options(plain.port())), 502);
  RawServer silent([](RawClient& connection, int) { connection.receive_all(); });
  gateway::UpstreamOptions late = options(silent.port());
  late.timeouts.connect = Milliseconds(100);
  EXPECT_EQ(status_of(late), 504);
}

TEST_F(UpstreamTls, ASessionIsResumed) {
  TlsServer server(authority, {});
  gateway::UpstreamOptions one_each = options(server.port());
  one_each.connections.idle_max = 0;
  UpstreamGateway gateway(one_each);
  EXPECT_EQ(get(gateway.port(), "/").body, "new");
  EXPECT_EQ(get(gateway.port(), "/").body, "resumed");
}

TEST_F(UpstreamTls, ProbesUseItToo) {
  TlsServer server(authority, {});
  gateway::UpstreamOptions checked = options(server.port());
  checked.health_check.emplace();
  checked.health_check->interval = Milliseconds(10);
  UpstreamGateway gateway(checked);
  EXPECT_TRUE(gateway.wait_until(0, [](const ServerView& view) { return view.probes_passed >= 2; }));
}

TEST_F(UpstreamTls, AFileOfAuthoritiesThatIsNoneIsRefused) {
  gateway::UpstreamOptions wrong = options(1);
  wrong.tls.ca_file = folder.path() + "/none.pem";
  net::LoopThread loop(0);
  std::vector<Loop*> loops{&loop};
  Result<std::shared_ptr<gateway::Upstream>> upstream = gateway::Upstream::create(wrong, {.loops = loops});
  ASSERT_FALSE(upstream);
  EXPECT_EQ(upstream.error().kind, ErrorKind::kInvalid);
}

// Lifetimes.

TEST(UpstreamLifetime, TheLastReferenceMayGoWhileLoopsRunAndProbesAreUnderWay) {
  RawServer silent([](RawClient& connection, int) { connection.receive_all(); });
  net::LoopThread first(0);
  net::LoopThread second(1);
  std::vector<Loop*> loops{&first, &second};
  first.start({});
  second.start({});
  for (int round = 0; round < 20; ++round) {
    gateway::UpstreamOptions options = upstream_options({silent.port(), closed_port()});
    options.health_check.emplace();
    options.health_check->interval = Milliseconds(1);
    Result<std::shared_ptr<gateway::Upstream>> upstream = gateway::Upstream::create(options, {.loops = loops});
    ASSERT_TRUE(upstream);
    std::this_thread::sleep_for(std::chrono::milliseconds(round % 4));
    // On a loop's thread as well as here.
    if (round % 2 == 0) first.post([kept = std::move(*upstream)] {});
    upstream = fail(ErrorKind::kInternal, "gone");
  }
  first.stop();
  second.stop();
}

TEST(UpstreamLifetime, TheLastReferenceMayGoAfterTheLoopsOrWithoutThem) {
  net::LoopThread loop(0);
  std::vector<Loop*> loops{&loop};
  auto make = [&] {
    gateway::UpstreamOptions options = upstream_options({closed_port()});
    options.health_check.emplace();
    return std::move(*gateway::Upstream::create(options, {.loops = loops}));
  };
  std::shared_ptr<gateway::Upstream> never_started = make();
  never_started.reset();
  std::shared_ptr<gateway::Upstream> late = make();
  loop.start({});
  late->stop();
  loop.stop();
  late.reset();
}

}  // namespace
}  // namespace sandgate::test
