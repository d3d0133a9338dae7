// SPDX-License-Identifier: Apache-2.0
#include "net/response_writer.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <string>
#include <thread>

#include "net/testing/http_fixture.h"

namespace sandgate::net {
namespace {

using test::RawClient;
using test::Received;
using testing::get_request;
using testing::Stage;
using testing::TestServer;

// The buffers of both sockets together stay below.
constexpr std::size_t kMoreThanSocketsHold = 24'000'000;

std::string http10(std::string_view path) { return "GET " + std::string(path) + " HTTP/1.0\r\n\r\n"; }

TEST(ResponseWriter, ASmallResponseIsOnePacket) {
  TestServer server;
  RawClient client = server.client();
  ASSERT_TRUE(client.send(get_request("/hello")));
  // One read of the socket has it all.
  std::string text = client.receive_some();
  EXPECT_TRUE(text.starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(text.ends_with("\r\n\r\nhello"));
}

TEST(ResponseWriter, AnAnswerOfUnknownLengthIsChunked) {
  TestServer server;
  RawClient client = server.client();
  ASSERT_TRUE(client.send(get_request("/stream")));
  EXPECT_TRUE(client.receive_until("3\r\none\r\n").find("Transfer-Encoding: chunked\r\n") != std::string::npos);
  ASSERT_TRUE(server.stage.entered.wait());
  server.stage.open_gates();
  EXPECT_EQ(client.receive_until("0\r\n\r\n"), "3\r\ntwo\r\n0\r\n\r\n");
  ASSERT_TRUE(client.send(get_request("/hello")));
  EXPECT_EQ(client.receive_response().body, "hello");
}

TEST(ResponseWriter, AStreamShowsItsHeadBeforeItsFirstBytes) {
  TestServer server;
  RawClient client = server.client();
  ASSERT_TRUE(client.send(get_request("/stream?late")));
  std::string head = client.receive_until("\r\n\r\n");
  EXPECT_TRUE(head.ends_with("\r\n\r\n"));
  ASSERT_TRUE(server.stage.entered.wait());
  server.stage.open_gates();
  EXPECT_EQ(client.receive_until("0\r\n\r\n"), "3\r\ntwo\r\n0\r\n\r\n");
}

TEST(ResponseWriter, Http10GetsUnknownLengthsUntilTheEndOfTheConnection) {
  TestServer server;
  RawClient client = server.client();
  ASSERT_TRUE(client.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  ASSERT_TRUE(server.stage.entered.wait());
  server.stage.open_gates();
  Received response = client.receive_response();
  EXPECT_EQ(response.field("connection"), "close");
  EXPECT_FALSE(response.field("transfer-encoding"));
  EXPECT_EQ(response.body, "onetwo");
}

TEST(ResponseWriter, AHeadRequestGetsTheHeadOnly) {
  TestServer server;
  RawClient client = server.client();
  ASSERT_TRUE(client.send("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n" + get_request("/hello")));
  Received head = client.receive_response(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.field("content-length"), "5");
  EXPECT_EQ(client.receive_response().body, "hello");
}

Task<Status> bodyless(Exchange& exchange, Stage&) {
  http::ResponseHead head(exchange.arena());
  head.status = exchange.request.query == "304" ? 304 : 204;
  Status status = co_await exchange.sink().start(head, 7);
  if (status) status = co_await exchange.sink().write("dropped");
  if (status) status = co_await exchange.sink().finish(nullptr);
  co_return status;
}

TEST(ResponseWriter, StatusesWithoutABodyHaveNone) {
  TestServer server;
  server.handler.add("/bodyless", &bodyless);
  RawClient client = server.client();
  ASSERT_TRUE(client.send(get_request("/bodyless?204") + get_request("/bodyless?304") + get_request("/hello")));
  Received no_content = client.receive_response();
  EXPECT_EQ(no_content.status, 204);
  EXPECT_FALSE(no_content.field("content-length"));
  Received not_modified = client.receive_response();
  EXPECT_EQ(not_modified.status, 304);
  EXPECT_EQ(not_modified.field("content-length"), "7");
  EXPECT_EQ(client.receive_response().body, "hello");
}

Task<Status> miscounting(Exchange& exchange, Stage& stage) {
  http::ResponseHead head(exchange.arena());
  Status status = co_await exchange.sink().start(head, 5);
  if (status) status = co_await exchange.sink().write(exchange.request.query == "more" ? "123456" : "1234");
  if (status) status = co_await exchange.sink().finish(nullptr);
  stage.note(status ? "ok" : std::string(error_kind_name(status.error().kind)));
  stage.left.raise();
  co_return status;
}

TEST(ResponseWriter, ABodyThatBreaksItsAnnouncementEndsTheConnection) {
  TestServer server;
  server.handler.add("/miscounting", &miscounting);
  for (std::string_view query : {"more", "less"}) {
    RawClient client = server.client();
    ASSERT_TRUE(client.send(get_request("/miscounting?" + std::string(query)) + get_request("/hello")));
    Received response = client.receive_response();
    EXPECT_FALSE(response.complete) << query;
    EXPECT_EQ(client.receive_all(), "");
    ASSERT_TRUE(server.stage.left.wait(query == "more" ? 1 : 2));
    EXPECT_EQ(server.stage.taken_notes(), std::vector<std::string>{"internal"});
  }
}

Task<Status> wrong_status(Exchange& exchange, Stage& stage) {
  http::ResponseHead head(exchange.arena());
  head.status = exchange.request.query == "101" ? 101 : 600;
  Status status = co_await exchange.sink().start(head, 0);
  stage.note(status || exchange.sink().committed() ? "committed" : "refused");
  co_return status;
}

TEST(ResponseWriter, OnlyFinalStatusesStartAResponse) {
  TestServer server;
  server.handler.add("/wrong", &wrong_status);
  RawClient client = server.client();
  ASSERT_TRUE(client.send(get_request("/wrong?101") + get_request("/wrong?600")));
  EXPECT_EQ(client.receive_response().status, 500);
  EXPECT_EQ(client.receive_response().status, 500);
  EXPECT_EQ(server.stage.taken_notes(), (std::vector<std::string>{"refused", "refused"}));
}

TEST(ResponseWriter, AnAbortedResponseIsSeenAsBroken) {
  TestServer server;
  RawClient client = server.client();
  ASSERT_TRUE(client.send(get_request("/stream?abort")));
  ASSERT_TRUE(server.stage.entered.wait());
  server.stage.open_gates();
  Received response = client.receive_response();
  EXPECT_EQ(response.status, 200);
  EXPECT_FALSE(response.complete);
}

TEST(ResponseWriter, AnAbortedResponseUntilTheEndOfTheConnectionIsAReset) {
  TestServer server;
  RawClient client = server.client();
  ASSERT_TRUE(client.send(http10("/stream?abort")));
  ASSERT_TRUE(server.stage.entered.wait());
  EXPECT_NE(client.receive_until("one").find("one"), std::string::npos);
  ASSERT_TRUE(server.stage.entered.wait());
  server.stage.open_gates();
  std::array<char, 16> rest;
  errno = 0;
  EXPECT_LT(::recv(client.fd(), rest.data(), rest.size(), 0), 0);
  EXPECT_EQ(errno, ECONNRESET);
}

Task<Status> hints(Exchange& exchange, Stage& stage) {
  http::ResponseHead early(exchange.arena());
  early.status = 103;
  early.fields.add("link", "</a.css>");
  Status status = co_await exchange.sink().informational(early);
  if (status) {
    early.status = 101;
    Status refused = co_await exchange.sink().informational(early);
    stage.note(refused ? "sent" : "refused");
  }
  http::ResponseHead head(exchange.arena());
  if (status) status = co_await exchange.sink().start(head, 2);
  if (status) status = co_await exchange.sink().write("ok");
  if (status) status = co_await exchange.sink().finish(nullptr);
  co_return status;
}

TEST(ResponseWriter, InterimResponsesGoOutBeforeTheFinalOneButNotToHttp10) {
  TestServer server;
  server.handler.add("/hints", &hints);
  RawClient client = server.client();
  ASSERT_TRUE(client.send(get_request("/hints")));
  Received early = client.receive_response();
  EXPECT_EQ(early.status, 103);
  EXPECT_EQ(early.field("link"), "</a.css>");
  EXPECT_FALSE(early.field("date"));
  EXPECT_EQ(client.receive_response().body, "ok");
  EXPECT_EQ(server.stage.taken_notes(), std::vector<std::string>{"refused"});
  RawClient old = server.client();
  ASSERT_TRUE(old.send(http10("/hints")));
  EXPECT_EQ(old.receive_response().status, 200);
}

TEST(ResponseWriter, ALargeResponseWaitsForASlowReader) {
  TestServer server;
  server.stage.large.assign(kMoreThanSocketsHold, 'x');
  RawClient client = server.client();
  ASSERT_TRUE(client.send(get_request("/large")));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(server.stage.left.count(), 0);
  EXPECT_TRUE(client.receive_response().body == server.stage.large);
  EXPECT_TRUE(server.stage.left.wait());
  ASSERT_TRUE(client.send(get_request("/hello")));
  EXPECT_EQ(client.receive_response().body, "hello");
}

TEST(ResponseWriter, AReaderThatTakesNothingIsCutOff) {
  ServerOptions options;
  options.write = Milliseconds(50);
  TestServer server(options);
  server.stage.large.assign(kMoreThanSocketsHold, 'x');
  RawClient client = server.client();
  ASSERT_TRUE(client.send(get_request("/large")));
  ASSERT_TRUE(server.stage.left.wait());
  EXPECT_EQ(server.stage.taken_notes(), std::vector<std::string>{"timed_out"});
  EXPECT_TRUE(server.wait_until_empty());
}

TEST(ResponseWriter, AReaderThatLeavesEndsTheResponse) {
  TestServer server;
  server.stage.large.assign(kMoreThanSocketsHold, 'x');
  RawClient client = server.client();
  ASSERT_TRUE(client.send(get_request("/large")));
  client.receive_some();
  client.reset();
  ASSERT_TRUE(server.stage.left.wait());
  EXPECT_EQ(server.stage.taken_notes(), std::vector<std::string>{"disconnected"});
}

Task<Status> huge(Exchange& exchange, Stage& stage) {
  http::ResponseHead head(exchange.arena());
  Status status = co_await exchange.sink().start(head, std::uint64_t{5'000'000'000});
  if (status) status = co_await exchange.sink().write("begin");
  stage.entered.raise();
  exchange.sink().abort();
  co_return fail(ErrorKind::kInternal, "only the head");
}

TEST(ResponseWriter, LengthsBeyondFourGibibytesAreWrittenWhole) {
  TestServer server;
  server.handler.add("/huge", &huge);
  RawClient client = server.client();
  ASSERT_TRUE(client.send(get_request("/huge")));
  EXPECT_NE(client.receive_all().find("Content-Length: 5000000000\r\n\r\nbegin"), std::string::npos);
}

// Upgrades: the bytes both ways until either side has enough.
Task<Status> upgrade(Exchange& exchange, Stage& stage) {
  http::ResponseHead head(exchange.arena());
  head.status = 101;
  head.fields.add("upgrade", "echo");
  Result<RawStream*> taken = co_await exchange.take_over(head);
  if (!taken) co_return fail(std::move(taken.error()));
  RawStream& raw = **taken;
  stage.entered.raise();
  for (;;) {
    Result<std::string_view> bytes = co_await raw.read();
    if (!bytes) {
      stage.cancelled.raise();
      co_return fail(std::move(bytes.error()));
    }
    if (bytes->empty()) break;
    Status written = co_await raw.write(*bytes);
    if (!written) co_return written;
  }
  // The client's side has ended; ours may go on.
  Status last = co_await raw.write("bye");
  raw.shutdown_write();
  stage.left.raise();
  co_return last;
}

TEST(ResponseWriter, AnUpgradedConnectionCarriesBytesBothWays) {
  TestServer server;
  server.handler.add("/upgrade", &upgrade);
  RawClient client = server.client();
  ASSERT_TRUE(client.send(get_request("/upgrade", "Upgrade: echo\r\nConnection: upgrade\r\n") + "at once"));
  std::string head = client.receive_until("at once");
  EXPECT_TRUE(head.starts_with("HTTP/1.1 101 Switching Protocols\r\n"));
  EXPECT_TRUE(head.ends_with("\r\n\r\nat once"));
  ASSERT_TRUE(client.send("later"));
  EXPECT_EQ(client.receive_exactly(5), "later");
  client.shutdown_write();
  EXPECT_EQ(client.receive_all(), "bye");
  EXPECT_TRUE(server.stage.left.wait());
}

TEST(ResponseWriter, AnUpgradedConnectionEndsWithTheServer) {
  TestServer server;
  server.handler.add("/upgrade", &upgrade);
  RawClient client = server.client();
  ASSERT_TRUE(client.send(get_request("/upgrade", "Upgrade: echo\r\nConnection: upgrade\r\n")));
  ASSERT_TRUE(server.stage.entered.wait());
  server.server().close_all();
  EXPECT_TRUE(server.stage.cancelled.wait());
  EXPECT_TRUE(server.wait_until_empty());
}

TEST(ResponseWriter, Http10AndUnreadBodiesAreNotUpgraded) {
  TestServer server;
  server.handler.add("/upgrade", &upgrade);
  RawClient old = server.client();
  ASSERT_TRUE(old.send(http10("/upgrade")));
  EXPECT_EQ(old.receive_response().status, 501);
  RawClient client = server.client();
  ASSERT_TRUE(client.send("POST /upgrade HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"));
  EXPECT_EQ(client.receive_response().status, 501);
}

// A client that asks for much, reads nothing, and expects 100 (Continue) for the next request: the interim response and
// an early final one want to be written at once.
struct EarlyAnswer {
  static Detached read(BodySource& body, Event& ended) {
    Result<std::string_view> piece = co_await body.read();
    ended.set();
  }
  static Task<Status> serve(Exchange& exchange, Stage& stage) {
    Event ended;
    read(exchange.body(), ended);
    stage.entered.raise();
    http::ResponseHead head(exchange.arena());
    Status status = co_await exchange.sink().start(head, 5);
    if (status) status = co_await exchange.sink().write("early");
    if (status) status = co_await exchange.sink().finish(nullptr);
    exchange.body().abort();
    co_await ended.wait();
    co_return status;
  }
};

TEST(ResponseWriter, AnEarlyAnswerFollowsAContinueThatHadToWait) {
  TestServer server;
  server.handler.add("/early", &EarlyAnswer::serve);
  server.stage.large.assign(100'000, 'x');
  RawClient client = server.client();
  std::string expecting = "POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
  std::string requests;
  // Responses of growing sizes, so that one of the interim responses meets a full socket at an odd place.
  for (int i = 0; i < 300; ++i) requests += get_request("/large");
  ASSERT_TRUE(client.send(requests + expecting));
  for (int i = 0; i < 300; ++i) ASSERT_EQ(client.receive_response().body.size(), 100'000U);
  Received first = client.receive_response();
  if (first.status == 100) first = client.receive_response();
  EXPECT_EQ(first.body, "early");
}

}  // namespace
}  // namespace sandgate::net
