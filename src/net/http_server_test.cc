// SPDX-License-Identifier: Apache-2.0
#include "net/http_server.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "net/testing/http_fixture.h"
#include "platform/log.h"

namespace sandgate::net {
namespace {

using test::RawClient;
using test::Received;
using testing::get_request;
using testing::TestServer;

TEST(HttpServer, SpreadsConnectionsOverItsLoops) {
  TestServer server({}, 3);
  server.handler.add("/loop", [](Exchange& exchange, testing::Stage& stage) -> Task<Status> {
    stage.note(std::to_string(exchange.loop().index()));
    co_return fail(ErrorKind::kNotFound, "noted");
  });
  std::vector<RawClient> clients;
  for (int i = 0; i < 6; ++i) {
    clients.push_back(server.client());
    ASSERT_TRUE(clients.back().send(get_request("/loop")));
    ASSERT_EQ(clients.back().receive_response().status, 404);
  }
  std::vector<std::string> notes = server.stage.taken_notes();
  std::ranges::sort(notes);
  EXPECT_EQ(notes, (std::vector<std::string>{"0", "0", "1", "1", "2", "2"}));
}

TEST(HttpServer, AListeningAddressThatIsTakenIsRefusedInPlainWords) {
  TestServer server;
  Address taken = *parse_listen_address("127.0.0.1:" + std::to_string(server.port()));
  LoopThread loop(0);
  testing::Stage stage;
  testing::TableHandler handler(stage);
  std::unique_ptr<HttpServer> second = HttpServer::create({&loop}, handler, {});
  Result<Address> bound = second->listen(taken);
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().kind, ErrorKind::kOverloaded);
  EXPECT_NE(bound.error().detail.find(taken.text()), std::string::npos);
}

TEST(HttpServer, WaitsWithFurtherConnectionsAtItsLimitAndThenServesThem) {
  ServerOptions options;
  options.connections_max = 2;
  TestServer server(options);
  RawClient first = server.client();
  RawClient second = server.client();
  for (RawClient* client : {&first, &second}) ASSERT_TRUE(client->send(get_request("/wait")));
  ASSERT_TRUE(server.stage.entered.wait(2));
  RawClient third = server.client();
  ASSERT_TRUE(third.send(get_request("/hello")));
  EXPECT_EQ(third.receive_some(std::chrono::milliseconds(100)), "");
  EXPECT_EQ(server.server().open_connections(), 2U);
  EXPECT_GT(server.server().counters().accept_pauses.load(), 0U);
  first.close();
  EXPECT_EQ(third.receive_response().body, "hello");
}

TEST(HttpServer, AtItsLimitLongIdleConnectionsMakeRoom) {
  ServerOptions options;
  options.connections_max = 3;
  TestServer server(options, 2);
  std::vector<RawClient> idle;
  for (int i = 0; i < 2; ++i) {
    idle.push_back(server.client());
    ASSERT_TRUE(idle.back().send(get_request("/hello")));
    ASSERT_EQ(idle.back().receive_response().body, "hello");
  }
  RawClient busy = server.client();
  ASSERT_TRUE(busy.send(get_request("/wait")));
  ASSERT_TRUE(server.stage.entered.wait());
  RawClient next = server.client();
  ASSERT_TRUE(next.send(get_request("/hello")));
  EXPECT_EQ(next.receive_response().body, "hello");
  // Whoever is served is left alone.
  server.stage.open_gates();
  EXPECT_EQ(busy.receive_response().body, "waited");
}

TEST(HttpServer, SurvivesRunningOutOfDescriptors) {
  TestServer server;
  RawClient before = server.client();
  ASSERT_TRUE(before.send(get_request("/hello")));
  ASSERT_EQ(before.receive_response().body, "hello");
  // The server will log a warning. UBSan opens a pipe to look at an object whose type it has not met: it meets the
  // log's here.
  log::warning("descriptors are about to run out");
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  std::uint64_t pauses = 0;
  std::vector<RawClient> clients;
  {
    // The clients' ends are made first; accepting them needs as many again.
    for (int i = 0; i < 3; ++i) clients.push_back(RawClient(platform::Descriptor(::socket(AF_INET, SOCK_STREAM, 0))));
    rlimit none = limit;
    none.rlim_cur = 3;
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    sockaddr_storage address = parse_listen_address("127.0.0.1:" + std::to_string(server.port()))->storage;
    for (RawClient& client : clients) {
      EXPECT_EQ(::connect(client.fd(), reinterpret_cast<sockaddr*>(&address), sizeof(sockaddr_in)), 0);
      EXPECT_TRUE(client.send(get_request("/hello")));
    }
    EXPECT_EQ(clients.front().receive_some(std::chrono::milliseconds(100)), "");
    pauses = server.server().counters().accept_pauses.load();
    // Who is connected is served meanwhile.
    EXPECT_TRUE(before.send(get_request("/hello")));
    EXPECT_EQ(before.receive_response().body, "hello");
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  }
  EXPECT_GT(pauses, 0U);
  // 100 ms in pauses of 20: nothing spins.
  EXPECT_LT(pauses, 100U);
  for (RawClient& client : clients) EXPECT_EQ(client.receive_response().body, "hello");
}

TEST(HttpServer, DrainingEndsIdleConnectionsAndRefusesNewOnes) {
  TestServer server({}, 2);
  std::vector<RawClient> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(server.client());
    ASSERT_TRUE(clients.back().send(get_request("/hello")));
    ASSERT_EQ(clients.back().receive_response().body, "hello");
  }
  server.server().drain();
  for (RawClient& client : clients) EXPECT_EQ(client.receive_all(), "");
  EXPECT_TRUE(server.wait_until_empty());
  EXPECT_FALSE(server.client().connected());
}

TEST(HttpServer, DrainingLetsARunningExchangeFinishAndSaysSo) {
  TestServer server;
  RawClient client = server.client();
  ASSERT_TRUE(client.send(get_request("/wait")));
  ASSERT_TRUE(server.stage.entered.wait());
  server.server().drain();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(server.server().open_connections(), 1U);
  server.stage.open_gates();
  Received response = client.receive_response();
  EXPECT_EQ(response.body, "waited");
  EXPECT_EQ(response.field("connection"), "close");
  EXPECT_TRUE(client.closed_by_peer());
  EXPECT_EQ(server.stage.cancelled.count(), 0);
}

TEST(HttpServer, DrainingLetsAHeadThatHasBegunFinish) {
  TestServer server;
  RawClient client = server.client();
  ASSERT_TRUE(client.send("GET /hello HTTP/1.1\r\n"));
  testing::on_loop(server.loop(), [] {});
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  server.server().drain();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  ASSERT_TRUE(client.send("Host: a\r\n\r\n"));
  Received response = client.receive_response();
  EXPECT_EQ(response.body, "hello");
  EXPECT_EQ(response.field("connection"), "close");
}

// Requests that reached the machine before draining began are answered: neither those in sockets nor those of clients
// in the backlog get lost.
TEST(HttpServer, DrainingAnswersWhatWasAskedBefore) {
  TestServer server({}, 2);
  RawClient known = server.client();
  ASSERT_TRUE(known.send(get_request("/hello")));
  ASSERT_EQ(known.receive_response().body, "hello");
  // While both loops are busy, a request comes on the known connection and two on new ones.
  testing::Signal busy;
  testing::Signal go_on;
  for (std::size_t i = 0; i < 2; ++i) {
    server.loop(i).post([&] {
      busy.raise();
      go_on.wait();
    });
  }
  ASSERT_TRUE(busy.wait(2));
  ASSERT_TRUE(known.send(get_request("/hello")));
  std::vector<RawClient> fresh;
  for (int i = 0; i < 2; ++i) {
    fresh.push_back(server.client());
    ASSERT_TRUE(fresh.back().send(get_request("/hello")));
  }
  server.server().drain();
  go_on.raise();
  EXPECT_EQ(known.receive_response().body, "hello");
  for (RawClient& client : fresh) EXPECT_EQ(client.receive_response().body, "hello");
  EXPECT_TRUE(server.wait_until_empty());
}

// The answer before promised that the connection stays.
TEST(HttpServer, DrainingAnswersOneMoreRequestOfAnIdleConnection) {
  TestServer server;
  RawClient client = server.client();
  ASSERT_TRUE(client.send(get_request("/hello")));
  ASSERT_EQ(client.receive_response().body, "hello");
  server.server().drain();
  testing::on_loop(server.loop(), [] {});
  testing::on_loop(server.loop(), [] {});
  ASSERT_TRUE(client.send(get_request("/hello")));
  Received response = client.receive_response();
  EXPECT_EQ(response.body, "hello");
  EXPECT_EQ(response.field("connection"), "close");
  EXPECT_TRUE(client.closed_by_peer());
}

TEST(HttpServer, HandsItsSocketsToAnotherServerWithoutLoss) {
  TestServer before({}, 2);
  Result<std::vector<ListeningSocket>> shared = before.server().share_sockets();
  ASSERT_TRUE(shared);
  ASSERT_EQ(shared->size(), 1U);
  LoopThread loop(0);
  testing::Stage stage;
  testing::TableHandler handler(stage);
  std::unique_ptr<HttpServer> after = HttpServer::create({&loop}, handler, {});
  Address address = after->adopt(std::move(shared->front()));
  EXPECT_EQ(address.port(), before.port());
  // In the backlog while the first one lets go.
  testing::Signal busy;
  testing::Signal go_on;
  before.loop().post([&] {
    busy.raise();
    go_on.wait();
  });
  ASSERT_TRUE(busy.wait());
  RawClient waiting = before.client();
  ASSERT_TRUE(waiting.send(get_request("/none")));
  before.server().hand_over({address});
  EXPECT_TRUE(before.server().listening());
  go_on.raise();
  EXPECT_TRUE(before.wait_until_empty());
  loop.start(nullptr);
  after->start();
  EXPECT_EQ(waiting.receive_response().status, 404);
  for (int i = 0; i < 2000 && before.server().listening(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  EXPECT_FALSE(before.server().listening());
  after->close_all();
  for (int i = 0; i < 2000 && (after->listening() || after->open_connections() != 0); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  loop.stop();
}

TEST(HttpServer, ClosingCancelsWhatRuns) {
  TestServer server({}, 2);
  std::vector<RawClient> clients;
  for (int i = 0; i < 6; ++i) {
    clients.push_back(server.client());
    ASSERT_TRUE(clients.back().send(get_request("/wait")));
  }
  ASSERT_TRUE(server.stage.entered.wait(6));
  server.server().close_all();
  EXPECT_TRUE(server.stage.cancelled.wait(6));
  EXPECT_TRUE(server.wait_until_empty());
  for (const std::string& note : server.stage.taken_notes()) EXPECT_EQ(note, "overloaded");
  EXPECT_FALSE(server.client().connected());
}

TEST(HttpServer, DrainingUnderLoadLosesNoResponseHalfWay) {
  TestServer server({}, 2);
  std::atomic<bool> stop = false;
  std::atomic<int> answered = 0;
  std::atomic<int> broken = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      while (!stop) {
        RawClient client = server.client();
        if (!client.connected()) return;
        for (int request = 0; request < 20; ++request) {
          if (!client.send(get_request(request % 2 == 0 ? "/hello" : "/method"))) break;
          Received response = client.receive_response();
          if (response.status == 0) break;  // an idle connection that ended
          ++(response.complete ? answered : broken);
          if (response.field("connection")) break;
        }
      }
    });
  }
  while (answered < 200) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  server.server().drain();
  EXPECT_TRUE(server.wait_until_empty());
  stop = true;
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(broken, 0);
}

TEST(HttpServer, ClosingUnderLoadFromAnotherThreadEndsEverything) {
  for (int round = 0; round < 5; ++round) {
    TestServer server({}, 2);
    std::atomic<int> answered = 0;
    std::vector<std::thread> clients;
    for (int i = 0; i < 4; ++i) {
      clients.emplace_back([&, i] {
        const char* paths[] = {"/hello", "/stream", "/wait", "/large"};
        for (;;) {
          RawClient client = server.client();
          if (!client.connected()) return;
          if (!client.send(get_request("/hello") + get_request(paths[i]))) continue;
          if (client.receive_response().complete) ++answered;
          server.stage.open_gates();
          client.receive_response();
        }
      });
    }
    while (answered < 50) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    server.server().close_all();
    for (std::thread& client : clients) client.join();
    EXPECT_TRUE(server.wait_until_empty());
  }
}

}  // namespace
}  // namespace sandgate::net
