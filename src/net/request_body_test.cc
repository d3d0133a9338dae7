// SPDX-License-Identifier: Apache-2.0
#include "net/request_body.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "net/testing/http_fixture.h"

namespace sandgate::net {
namespace {

using test::RawClient;
using test::Received;
using testing::get_request;
using testing::TestServer;

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

std::string post(std::string_view path, std::size_t length, std::string_view fields = {}) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(length) + "\r\n" +
         std::string(fields) + "\r\n";
}

std::string pattern(std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>('a' + i % 23);
  return text;
}

TEST(RequestBody, ArrivesUnchangedWhateverItsSize) {
  TestServer server;
  RawClient client = server.client();
  for (std::size_t bytes : {0U, 1U, 4096U, 16'384U, 65'536U, 1'000'003U}) {
    std::string body = pattern(bytes);
    std::thread sender([&] { EXPECT_TRUE(client.send(post("/echo", bytes) + body)); });
    Received response = client.receive_response();
    sender.join();
    EXPECT_TRUE(response.complete);
    EXPECT_TRUE(response.body == body) << bytes;
  }
}

TEST(RequestBody, ChunksArriveUnchangedHoweverTheyAreCut) {
  TestServer server;
  for (std::size_t cut = 1; cut < 60; cut += 7) {
    RawClient client = server.client();
    std::string request =
        "POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\nX-T: "
        "1\r\n\r\n";
    for (std::size_t at = 0; at < request.size(); at += cut) ASSERT_TRUE(client.send(request.substr(at, cut)));
    EXPECT_EQ(client.receive_response().body, "11");
    ASSERT_TRUE(client.send(get_request("/hello")));
    EXPECT_EQ(client.receive_response().body, "hello");
  }
}

TEST(RequestBody, WhatFollowsABodyIsTheNextRequest) {
  TestServer server;
  RawClient client = server.client();
  ASSERT_TRUE(client.send(post("/length", 5) + "12345" + get_request("/hello") + post("/length", 0) +
                          post("/length", 1) + "x"));
  EXPECT_EQ(client.receive_response().body, "5");
  EXPECT_EQ(client.receive_response().body, "hello");
  EXPECT_EQ(client.receive_response().body, "0");
  EXPECT_EQ(client.receive_response().body, "1");
}

// The body looks like a request: read as one, it would be smuggled.
TEST(RequestBody, WhatAHandlerLeavesIsNeverTakenForARequest) {
  TestServer server;
  std::string smuggled = get_request("/method");
  for (std::string_view path : {"/ignore", "/one_piece"}) {
    RawClient client = server.client();
    ASSERT_TRUE(client.send(post(path, smuggled.size()) + smuggled + get_request("/hello")));
    client.receive_response();
    EXPECT_EQ(client.receive_response().body, "hello") << path;
  }
}

TEST(RequestBody, ASmallRestIsReadThoughItComesLate) {
  TestServer server;
  RawClient client = server.client();
  ASSERT_TRUE(client.send(post("/ignore", 1000) + std::string(10, 'x')));
  EXPECT_FALSE(client.receive_response().field("connection"));
  ASSERT_TRUE(client.send(std::string(990, 'x') + get_request("/hello")));
  EXPECT_EQ(client.receive_response().body, "hello");
}

TEST(RequestBody, ALargeRestOrOneOfUnknownLengthEndsTheConnection) {
  TestServer server;
  for (const std::string& head :
       {post("/ignore", RequestBody::kDrainBytesMax + 1), post("/ignore", 4'294'967'296 + 5),
        post("/ignore", 999'999'999'999'999'999),
        std::string("POST /ignore HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")}) {
    RawClient client = server.client();
    ASSERT_TRUE(client.send(head));
    Received response = client.receive_response();
    EXPECT_EQ(response.body, "ignored");
    EXPECT_EQ(response.field("connection"), "close") << head;
    client.shutdown_write();
    EXPECT_EQ(client.receive_all(), "");
  }
}

TEST(RequestBody, CountsBeyondFourGibibytes) {
  // Announced only: what was read of it is counted, and nothing wraps.
  TestServer server;
  RawClient client = server.client();
  ASSERT_TRUE(client.send(post("/length", 4'294'967'296 + 5) + "12345"));
  // A length cut to 32 bits would be complete now.
  EXPECT_EQ(client.receive_some(std::chrono::milliseconds(50)), "");
  client.close();
  ASSERT_TRUE(server.stage.left.wait());
  EXPECT_EQ(server.stage.taken_notes().front(), "disconnected");
}

TEST(RequestBody, AClientThatWaitsIsToldToContinue) {
  TestServer server;
  RawClient client = server.client();
  ASSERT_TRUE(client.send(post("/length", 3, "Expect: 100-continue\r\n")));
  EXPECT_EQ(client.receive_exactly(kContinue.size()), kContinue);
  ASSERT_TRUE(client.send("abc" + get_request("/hello")));
  EXPECT_EQ(client.receive_response().body, "3");
  EXPECT_EQ(client.receive_response().body, "hello");
}

TEST(RequestBody, AClientThatDoesNotWaitIsNotTold) {
  TestServer server;
  RawClient client = server.client();
  ASSERT_TRUE(client.send(post("/length", 3, "Expect: 100-Continue\r\n") + "abc" + get_request("/hello")));
  Received response = client.receive_response();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "3");
  EXPECT_EQ(client.receive_response().body, "hello");
}

TEST(RequestBody, AnAnswerInsteadOfContinueEndsTheConnection) {
  TestServer server;
  RawClient client = server.client();
  ASSERT_TRUE(client.send(post("/ignore", 3, "Expect: 100-continue\r\n")));
  Received response = client.receive_response();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.field("connection"), "close");
  // Whether the client sends the body now is open: nothing more is a request.
  client.send("abc" + get_request("/hello"));
  EXPECT_EQ(client.receive_all(), "");
}

TEST(RequestBody, NothingIsExpectedWithoutABodyOrInHttp10) {
  TestServer server;
  RawClient client = server.client();
  ASSERT_TRUE(client.send(post("/length", 0, "Expect: 100-continue\r\n")));
  EXPECT_EQ(client.receive_response().status, 200);
  RawClient old = server.client();
  ASSERT_TRUE(old.send("POST /length HTTP/1.0\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"));
  EXPECT_EQ(old.receive_some(std::chrono::milliseconds(50)), "");
  ASSERT_TRUE(old.send("abc"));
  EXPECT_EQ(old.receive_response().body, "3");
}

TEST(RequestBody, MalformedChunksAreAnError) {
  TestServer server;
  RawClient client = server.client();
  ASSERT_TRUE(client.send("POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n" +
                          get_request("/hello")));
  Received response = client.receive_response();
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.field("connection"), "close");
  EXPECT_EQ(client.receive_all(), "");
}

TEST(RequestBody, ABodyThatStopsTimesOut) {
  ServerOptions options;
  options.body = Milliseconds(50);
  TestServer server(options);
  RawClient client = server.client();
  ASSERT_TRUE(client.send(post("/length", 10) + "12345"));
  client.receive_response();
  ASSERT_TRUE(server.stage.left.wait());
  EXPECT_EQ(server.stage.taken_notes().front(), "timed_out");
  EXPECT_TRUE(client.closed_by_peer());
}

TEST(RequestBody, AClientThatLeavesInTheMiddleIsAnError) {
  TestServer server;
  RawClient client = server.client();
  ASSERT_TRUE(client.send(post("/length", 10) + "12345"));
  client.close();
  ASSERT_TRUE(server.stage.left.wait());
  EXPECT_EQ(server.stage.taken_notes().front(), "disconnected");
}

struct Reader {
  static Detached read(BodySource& body, testing::Stage& stage, Event& ended) {
    Result<std::string_view> piece = co_await body.read();
    while (piece && !piece->empty()) piece = co_await body.read();
    stage.note(piece ? "end" : std::string(error_kind_name(piece.error().kind)));
    ended.set();
  }
};

TEST(RequestBody, AbortingEndsAPendingReadAndTheConnection) {
  TestServer server;
  server.handler.add("/abort", [](Exchange& exchange, testing::Stage& stage) -> Task<Status> {
    Event ended;
    Reader::read(exchange.body(), stage, ended);
    {
      testing::Gate gate(stage, exchange);
      stage.entered.raise();
      co_await gate.opened().wait();
    }
    exchange.body().abort();
    co_await ended.wait();
    Result<std::string_view> again = co_await exchange.body().read();
    stage.note(again ? "more" : std::string(error_kind_name(again.error().kind)));
    co_return fail(ErrorKind::kDenied, "enough");
  });
  for (std::string_view expect : {"", "Expect: 100-continue\r\n"}) {
    RawClient client = server.client();
    ASSERT_TRUE(client.send(post("/abort", 10, expect) + (expect.empty() ? "12345" : "")));
    if (!expect.empty()) EXPECT_EQ(client.receive_exactly(kContinue.size()), kContinue);
    ASSERT_TRUE(server.stage.entered.wait(expect.empty() ? 1 : 2));
    server.stage.open_gates();
    Received response = client.receive_response();
    EXPECT_EQ(response.status, 403);
    EXPECT_EQ(response.field("connection"), "close");
    EXPECT_EQ(server.stage.taken_notes(), (std::vector<std::string>{"disconnected", "disconnected"}));
  }
}

// Pieces are views into the connection's buffer: nothing may move them while the handler holds them.
TEST(RequestBody, APieceStaysWhileOtherBytesArrive) {
  TestServer server;
  server.handler.add("/hold", [](Exchange& exchange, testing::Stage& stage) -> Task<Status> {
    Result<std::string_view> piece = co_await exchange.body().read();
    if (!piece) co_return fail(std::move(piece.error()));
    std::string copy(*piece);
    {
      testing::Gate gate(stage, exchange);
      stage.entered.raise();
      co_await gate.opened().wait();
    }
    stage.note(copy == *piece ? "same" : "moved");
    co_return Status();
  });
  RawClient client = server.client();
  std::string body(40'000, 'b');
  ASSERT_TRUE(client.send(get_request("/hello") + post("/hold", body.size()) + body.substr(0, 100)));
  EXPECT_EQ(client.receive_response().body, "hello");
  ASSERT_TRUE(server.stage.entered.wait());
  ASSERT_TRUE(client.send(body.substr(100) + std::string(100'000, 'p')));
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  server.stage.open_gates();
  client.receive_response();
  EXPECT_EQ(server.stage.taken_notes().front(), "same");
}

}  // namespace
}  // namespace sandgate::net
