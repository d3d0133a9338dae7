// SPDX-License-Identifier: Apache-2.0
#include "net/server_connection.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <string>
#include <thread>

#include "net/testing/http_fixture.h"

namespace sandgate::net {
namespace {

using test::RawClient;
using test::Received;
using testing::get_request;
using testing::TestServer;

TEST(ServerConnection, AnswersARequest) {
  TestServer server;
  RawClient client = server.client();
  ASSERT_TRUE(client.send(get_request("/hello")));
  Received response = client.receive_response();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "hello");
  EXPECT_EQ(response.field("content-length"), "5");
  EXPECT_TRUE(response.field("date"));
  EXPECT_FALSE(response.field("connection"));
}

TEST(ServerConnection, ServesManyRequestsOnOneConnection) {
  TestServer server;
  RawClient client = server.client();
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(client.send(get_request("/hello")));
    ASSERT_EQ(client.receive_response().body, "hello");
  }
  EXPECT_EQ(server.server().counters().accepted.load(), 1U);
}

TEST(ServerConnection, ARequestMayComeByteByByte) {
  TestServer server;
  RawClient client = server.client();
  for (char byte : get_request("/hello")) ASSERT_TRUE(client.send({&byte, 1}));
  EXPECT_EQ(client.receive_response().body, "hello");
}

TEST(ServerConnection, ServesPipelinedRequestsInOrder) {
  TestServer server;
  RawClient client = server.client();
  // More than one buffer holds, and more than one turn serves.
  constexpr int kRequests = 3000;
  std::string requests;
  for (int i = 0; i < kRequests; ++i) requests += get_request(i % 2 == 0 ? "/hello" : "/method");
  std::thread sender([&] { EXPECT_TRUE(client.send(requests)); });
  for (int i = 0; i < kRequests; ++i) ASSERT_EQ(client.receive_response().body, i % 2 == 0 ? "hello" : "GET") << i;
  sender.join();
}

TEST(ServerConnection, APipelinedRequestDoesNotLookLikeALeavingClient) {
  TestServer server;
  RawClient client = server.client();
  ASSERT_TRUE(client.send(get_request("/wait")));
  ASSERT_TRUE(server.stage.entered.wait());
  ASSERT_TRUE(client.send(get_request("/hello")));
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  server.stage.open_gates();
  EXPECT_EQ(client.receive_response().body, "waited");
  EXPECT_EQ(client.receive_response().body, "hello");
  EXPECT_EQ(server.stage.cancelled.count(), 0);
}

TEST(ServerConnection, PipelinedBytesStayInTheKernelWhileAHandlerRuns) {
  TestServer server;
  RawClient client = server.client();
  ASSERT_TRUE(client.send(get_request("/wait")));
  ASSERT_TRUE(server.stage.entered.wait());
  // Far more than a connection may buffer: the sender gets stuck, and the server holds nothing of it.
  int send_buffer = 4096;
  ::setsockopt(client.fd(), SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof(send_buffer));
  std::string flood(64'000'000, 'x');
  std::size_t sent = 0;
  for (int stuck = 0; sent < flood.size() && stuck < 100;) {
    ssize_t count = ::send(client.fd(), flood.data() + sent, flood.size() - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count > 0) {
      sent += static_cast<std::size_t>(count);
    } else {
      ++stuck;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  EXPECT_LT(sent, flood.size());
  server.stage.open_gates();
  EXPECT_EQ(client.receive_response().body, "waited");
}

TEST(ServerConnection, AClientThatLeavesCancelsTheExchange) {
  TestServer server;
  RawClient client = server.client();
  ASSERT_TRUE(client.send(get_request("/wait")));
  ASSERT_TRUE(server.stage.entered.wait());
  client.close();
  ASSERT_TRUE(server.stage.cancelled.wait());
  EXPECT_EQ(server.stage.taken_notes().front(), "disconnected");
  EXPECT_TRUE(server.wait_until_empty());
}

TEST(ServerConnection, AClientThatLeavesBehindPipelinedRequestsCancelsTheExchange) {
  TestServer server;
  RawClient client = server.client();
  ASSERT_TRUE(client.send(get_request("/wait")));
  ASSERT_TRUE(server.stage.entered.wait());
  ASSERT_TRUE(client.send(get_request("/hello")));
  client.shutdown_write();
  ASSERT_TRUE(server.stage.cancelled.wait());
  EXPECT_EQ(client.receive_all(), "");
}

TEST(ServerConnection, AResetCancelsTheExchange) {
  TestServer server;
  RawClient client = server.client();
  ASSERT_TRUE(client.send(get_request("/wait")));
  ASSERT_TRUE(server.stage.entered.wait());
  client.reset();
  EXPECT_TRUE(server.stage.cancelled.wait());
}

TEST(ServerConnection, AClientThatHalfClosedWithItsRequestIsAnswered) {
  TestServer server;
  // Until the end surely came with the request: both wait in the kernel while the loop is busy.
  RawClient client = server.client();
  testing::Signal busy;
  testing::Signal go_on;
  server.loop().post([&] {
    busy.raise();
    go_on.wait();
  });
  ASSERT_TRUE(busy.wait());
  ASSERT_TRUE(client.send(get_request("/hello") + get_request("/wait")));
  client.shutdown_write();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  go_on.raise();
  EXPECT_EQ(client.receive_response().body, "hello");
  ASSERT_TRUE(server.stage.entered.wait());
  server.stage.open_gates();
  EXPECT_EQ(client.receive_response().body, "waited");
  EXPECT_TRUE(client.closed_by_peer());
}

TEST(ServerConnection, TheConnectionHeaderDecides) {
  TestServer server;
  struct Case {
    std::string_view version;
    std::string_view fields;
    bool kept;
    std::string_view answered;  // Connection in the response
  };
  for (const Case& a :
       {Case{"HTTP/1.1", "", true, ""}, Case{"HTTP/1.1", "Connection: close\r\n", false, "close"},
        Case{"HTTP/1.1", "Connection: keep-alive, Close\r\n", false, "close"}, Case{"HTTP/1.0", "", false, "close"},
        Case{"HTTP/1.0", "Connection: keep-alive\r\n", true, "keep-alive"}}) {
    RawClient client = server.client();
    std::string request = "GET /hello " + std::string(a.version) + "\r\nHost: a\r\n" + std::string(a.fields) + "\r\n";
    ASSERT_TRUE(client.send(request));
    Received response = client.receive_response();
    EXPECT_EQ(response.body, "hello");
    EXPECT_EQ(response.field("connection").value_or(""), a.answered) << request;
    if (a.kept) {
      ASSERT_TRUE(client.send(request));
      EXPECT_EQ(client.receive_response().body, "hello");
    } else {
      EXPECT_TRUE(client.closed_by_peer());
    }
  }
}

TEST(ServerConnection, AMalformedHeadIsRefusedAndTheConnectionEnds) {
  TestServer server;
  struct Case {
    std::string_view head;
    int status;
  };
  for (const Case& a :
       {Case{"GET /hello HTTP/1.1\r\nHost : a\r\n\r\n", 400}, Case{"GET /hello HTTP/1.1\r\n\r\n", 400},
        Case{"GET /hello HTTP/2.0\r\nHost: a\r\n\r\n", 505},
        Case{"POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400}}) {
    RawClient client = server.client();
    // What follows must not be taken for a request.
    ASSERT_TRUE(client.send(std::string(a.head) + get_request("/hello")));
    Received response = client.receive_response();
    EXPECT_EQ(response.status, a.status) << a.head;
    EXPECT_EQ(response.field("connection"), "close");
    EXPECT_EQ(response.field("content-type"), "application/problem+json");
    EXPECT_EQ(client.receive_all(), "");
  }
  EXPECT_EQ(server.server().counters().refused_heads.load(), 4U);
}

TEST(ServerConnection, ATooLargeHeadIsRefusedWhileItStillComes) {
  TestServer server;
  RawClient client = server.client();
  std::string head = "GET /hello HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 90; ++i) head += "X-Field-" + std::to_string(i) + ": " + std::string(1000, 'x') + "\r\n";
  // The server reads on for a while, so that the client gets to see the answer before a reset.
  client.send(head);
  EXPECT_EQ(client.receive_response().status, 431);
  RawClient other = server.client();
  other.send("GET /" + std::string(20'000, 'x') + " HTTP/1.1\r\n");
  EXPECT_EQ(other.receive_response().status, 414);
}

TEST(ServerConnection, AHeadThatDripsIsCutInTime) {
  ServerOptions options;
  options.head = Milliseconds(100);
  TestServer server(options);
  RawClient client = server.client();
  std::string request = get_request("/hello", "X-Long: " + std::string(2000, 'x') + "\r\n");
  // Steadily, but too slowly in all.
  std::atomic<bool> answered = false;
  std::thread dripping([&] {
    for (char byte : request) {
      if (answered || !client.send({&byte, 1})) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  });
  Received response = client.receive_response();
  answered = true;
  dripping.join();
  EXPECT_EQ(response.status, 408);
  EXPECT_EQ(response.field("connection"), "close");
  EXPECT_EQ(server.server().counters().timed_out_heads.load(), 1U);
}

TEST(ServerConnection, AnEmptyLineBeforeARequestIsSkippedAndAloneIsNoRequest) {
  ServerOptions options;
  options.head = Milliseconds(100);
  TestServer server(options);
  RawClient client = server.client();
  ASSERT_TRUE(client.send("\r\n" + get_request("/hello")));
  EXPECT_EQ(client.receive_response().body, "hello");
  ASSERT_TRUE(client.send("\r\n"));
  // Closed without a word: nothing was asked.
  EXPECT_EQ(client.receive_all(), "");
  EXPECT_EQ(server.server().counters().timed_out_heads.load(), 0U);
}

TEST(ServerConnection, AnIdleConnectionIsClosedWithoutAWord) {
  ServerOptions options;
  options.idle = Milliseconds(50);
  TestServer server(options);
  RawClient silent = server.client();
  EXPECT_EQ(silent.receive_all(), "");
  RawClient client = server.client();
  ASSERT_TRUE(client.send(get_request("/hello")));
  EXPECT_EQ(client.receive_response().body, "hello");
  EXPECT_EQ(client.receive_all(), "");
  EXPECT_TRUE(server.wait_until_empty());
}

TEST(ServerConnection, AClientThatLeavesInTheMiddleOfAHeadIsForgotten) {
  TestServer server;
  RawClient client = server.client();
  ASSERT_TRUE(client.send("GET /hello HT"));
  client.close();
  RawClient other = server.client();
  other.close();
  EXPECT_TRUE(server.wait_until_empty());
}

TEST(ServerConnection, AnErrorOfTheHandlerIsAnswered) {
  TestServer server;
  RawClient client = server.client();
  ASSERT_TRUE(client.send(get_request("/fail") + get_request("/nothing") + get_request("/no_such_path")));
  Received overloaded = client.receive_response();
  EXPECT_EQ(overloaded.status, 503);
  EXPECT_NE(overloaded.body.find("no room"), std::string::npos);
  EXPECT_EQ(client.receive_response().status, 500);
  EXPECT_EQ(client.receive_response().status, 404);
}

TEST(ServerConnection, TheClientGetsALastAnswerThoughItStillSends) {
  TestServer server;
  RawClient client = server.client();
  // Without lingering the kernel would answer these bytes with a reset, which overtakes the response.
  std::string request = "POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n";
  ASSERT_TRUE(client.send(request + std::string(1000, 'x')));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_TRUE(client.send(std::string(100'000, 'x')));
  Received response = client.receive_response();
  EXPECT_EQ(response.body, "ignored");
  EXPECT_EQ(response.field("connection"), "close");
  EXPECT_TRUE(client.closed_by_peer());
}

TEST(ServerConnection, ALingeringConnectionEndsThoughTheClientStays) {
  TestServer server;
  RawClient client = server.client();
  ASSERT_TRUE(client.send(get_request("/hello", "Connection: close\r\n")));
  EXPECT_EQ(client.receive_response().body, "hello");
  // Neither closes nor sends.
  EXPECT_TRUE(server.wait_until_empty());
}

TEST(ServerConnection, ShowsBothEndsToHandlers) {
  TestServer server;
  server.handler.add("/peers", [](Exchange& exchange, testing::Stage&) -> Task<Status> {
    const Peer& peer = exchange.peer;
    const Peer& local = exchange.local;
    std::string text = std::string(peer.address) + (peer.loopback ? " loopback " : " ") + std::to_string(peer.port) +
                       " " + std::string(local.address) + " " + std::to_string(local.port);
    http::ResponseHead head(exchange.arena());
    Status status = co_await exchange.sink().start(head, text.size());
    if (status) status = co_await exchange.sink().write(text);
    if (status) status = co_await exchange.sink().finish(nullptr);
    co_return status;
  });
  RawClient client = server.client();
  sockaddr_storage mine{};
  socklen_t length = sizeof(mine);
  ASSERT_EQ(::getsockname(client.fd(), reinterpret_cast<sockaddr*>(&mine), &length), 0);
  Address address{mine, length};
  ASSERT_TRUE(client.send(get_request("/peers")));
  EXPECT_EQ(client.receive_response().body,
            "127.0.0.1 loopback " + std::to_string(address.port()) + " 127.0.0.1 " + std::to_string(server.port()));
}

// A handler whose end another exchange's cancellation brings about, as a queue with a limit does.
TEST(ServerConnection, EndingOneExchangeMayEndAnotherAtOnce) {
  TestServer server;
  struct Chain {
    static Event& second() {
      static Event event;
      return event;
    }
  };
  server.handler.add("/first", [](Exchange& exchange, testing::Stage& stage) -> Task<Status> {
    {
      testing::Gate gate(stage, exchange);
      stage.entered.raise();
      co_await gate.opened().wait();
    }
    Chain::second().set();
    co_return fail(ErrorKind::kDisconnected, "cancelled");
  });
  server.handler.add("/second", [](Exchange&, testing::Stage& stage) -> Task<Status> {
    stage.entered.raise();
    co_await Chain::second().wait();
    stage.left.raise();
    co_return fail(ErrorKind::kOverloaded, "woken");
  });
  RawClient second = server.client();
  ASSERT_TRUE(second.send(get_request("/second")));
  ASSERT_TRUE(server.stage.entered.wait(1));
  RawClient first = server.client();
  ASSERT_TRUE(first.send(get_request("/first")));
  ASSERT_TRUE(server.stage.entered.wait(2));
  server.server().close_all();
  EXPECT_TRUE(server.stage.left.wait());
  EXPECT_TRUE(server.wait_until_empty());
}

}  // namespace
}  // namespace sandgate::net
