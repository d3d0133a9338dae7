// SPDX-License-Identifier: Apache-2.0
//
// The gateway as a reverse proxy, without modules.
#include <gtest/gtest.h>

#include <thread>

#include "tests/integration/gateway.h"

namespace sandgate::test {
namespace {

bool contains(const std::string& text, std::string_view needle) { return text.find(needle) != std::string::npos; }

TEST(Proxy, ForwardsMethodTargetFieldsAndBody) {
  Gateway gateway;
  Received response =
      fetch(gateway.port(), "POST", "/a/b?c=d", {{"X-Own", "yes"}, {"Authorization", "Bearer t"}}, "the body");
  EXPECT_EQ(response.status, 200);
  EXPECT_TRUE(response.body.starts_with("POST /a/b?c=d\n")) << response.body;
  EXPECT_TRUE(contains(response.body, "X-Own: yes\n"));
  EXPECT_TRUE(contains(response.body, "Authorization: Bearer t\n"));
  EXPECT_TRUE(contains(response.body, "\n\nthe body")) << response.body;
  EXPECT_EQ(response.field("x-worker"), "worker");
}

TEST(Proxy, TellsTheWorkerWhoAskedAndKeepsHost) {
  Gateway gateway;
  Received response = get(gateway.port(), "/", {{"Host", "example.org"}});
  EXPECT_TRUE(contains(response.body, "Host: example.org\n")) << response.body;
  EXPECT_TRUE(contains(response.body, "x-forwarded-for: 127.0.0.1\n")) << response.body;
  EXPECT_TRUE(contains(response.body, "x-forwarded-host: example.org\n")) << response.body;
  EXPECT_TRUE(contains(response.body, "x-forwarded-proto: http\n")) << response.body;
  EXPECT_TRUE(contains(response.body, "via: 1.1 sandgate\n")) << response.body;
}

TEST(Proxy, RemovesHopByHopFields) {
  Gateway gateway;
  Received response = get(gateway.port(), "/",
                          {{"Connection", "x-mine"},
                           {"X-Mine", "1"},
                           {"TE", "trailers"},
                           {"Keep-Alive", "timeout=5"},
                           {"Proxy-Authorization", "Basic x"},
                           {"Upgrade", "h2c"},
                           {"HTTP2-Settings", "AAMAAABk"}});
  EXPECT_FALSE(contains(response.body, "X-Mine")) << response.body;
  EXPECT_FALSE(contains(response.body, "TE:")) << response.body;
  EXPECT_FALSE(contains(response.body, "Keep-Alive")) << response.body;
  EXPECT_FALSE(contains(response.body, "Proxy-Authorization")) << response.body;
  EXPECT_FALSE(contains(response.body, "pgrade")) << response.body;
  EXPECT_FALSE(contains(response.body, "HTTP2-Settings")) << response.body;
}

TEST(Proxy, KeepsRepeatedFieldsApart) {
  Gateway gateway;
  Received response = get(gateway.port(), "/");
  EXPECT_TRUE(contains(response.head, "set-cookie: a=1\r\nset-cookie: b=2")) << response.head;
}

TEST(Proxy, RequestIdIsKeptOrMade) {
  Gateway gateway;
  Received kept = get(gateway.port(), "/", {{"X-Request-Id", "mine-1"}});
  EXPECT_EQ(kept.field("x-request-id"), "mine-1");
  EXPECT_TRUE(contains(kept.body, "mine-1"));
  Received made = get(gateway.port(), "/");
  ASSERT_TRUE(made.field("x-request-id"));
  EXPECT_EQ(made.field("x-request-id")->size(), 32U);
  Received too_long = get(gateway.port(), "/", {{"X-Request-Id", std::string(129, 'x')}});
  EXPECT_EQ(too_long.field("x-request-id")->size(), 32U);
}

TEST(Proxy, PathsHaveOneSpelling) {
  Gateway gateway;
  EXPECT_TRUE(get(gateway.port(), "/a/../%62//c").body.starts_with("GET /b/c\n"));
  EXPECT_EQ(get(gateway.port(), "/a%00b").status, 400);
  EXPECT_EQ(get(gateway.port(), "/a\\b").status, 400);
}

TEST(Proxy, AnswersHeadWithoutBody) {
  Gateway gateway;
  RawClient client(gateway.port());
  client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET /status/404 HTTP/1.1\r\nHost: a\r\n\r\n");
  Received head = client.receive_response(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_TRUE(head.field("content-length"));
  EXPECT_EQ(client.receive_response().body, "status 404");
}

TEST(Proxy, StreamsChunkedBodiesBothWays) {
  Gateway gateway;
  RawClient client(gateway.port());
  client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  client.send("4\r\ndefg\r\n0\r\n\r\n");
  Received response = client.receive_response();
  EXPECT_TRUE(contains(response.body, "\n\nabcdefg")) << response.body;
  EXPECT_TRUE(contains(response.body, "Transfer-Encoding: chunked\n")) << response.body;
  Received chunks = get(gateway.port(), "/chunks");
  EXPECT_EQ(chunks.body, "onetwothree");
  EXPECT_TRUE(chunks.complete);
}

TEST(Proxy, ServerSentEventsPassAtOnce) {
  Gateway gateway;
  RawClient client(gateway.port());
  client.send("GET /sse HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(contains(client.receive_until("data: first"), "data: first"));
  gateway.worker().release();
  EXPECT_TRUE(contains(client.receive_until("data: second"), "data: second"));
}

TEST(Proxy, KeepsUpstreamConnections) {
  Gateway gateway;
  RawClient client(gateway.port());
  for (int i = 0; i < 20; ++i) {
    client.send("GET /status/200 HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_EQ(client.receive_response().status, 200);
  }
  EXPECT_EQ(gateway.worker().requests(), 20);
  EXPECT_EQ(gateway.worker().connections_accepted(), 1U);
}

TEST(Proxy, RoundRobinSkipsAWorkerThatRefuses) {
  Worker one("one");
  Worker two("two");
  std::string dead_url;
  {
    Worker dead("dead");
    dead_url = dead.url();
  }
  Gateway gateway(gateway_settings({one.url(), dead_url, two.url()}));
  for (int i = 0; i < 12; ++i) ASSERT_EQ(get(gateway.port(), "/status/200").status, 200);
  EXPECT_EQ(one.requests() + two.requests(), 12);
  EXPECT_GE(one.requests(), 4);
  EXPECT_GE(two.requests(), 4);
}

TEST(Proxy, AnswersProblemsWhenNoWorkerCanBeReached) {
  std::string dead_url;
  {
    Worker dead;
    dead_url = dead.url();
  }
  Gateway gateway(gateway_settings({dead_url}));
  Received response = get(gateway.port(), "/");
  EXPECT_EQ(response.status, 502);
  EXPECT_EQ(response.field("content-type"), "application/problem+json");
  ASSERT_TRUE(response.field("x-request-id")) << response.head;
  EXPECT_TRUE(contains(response.body, "\"request_id\":\"" + *response.field("x-request-id")))
      << response.head << response.body;
  EXPECT_FALSE(contains(response.body, "127.0.0.1")) << "internals leak: " << response.body;
}

TEST(Proxy, AResponseThatBreaksOffIsNeverComplete) {
  Gateway gateway;
  Received response = get(gateway.port(), "/break");
  EXPECT_EQ(response.status, 200);
  EXPECT_FALSE(response.complete);
  EXPECT_EQ(get(gateway.port(), "/status/200").status, 200);
}

TEST(Proxy, AClientThatLeavesCancelsTheUpstreamRequest) {
  Gateway gateway;
  {
    RawClient client(gateway.port());
    client.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    for (int i = 0; i < 2000 && gateway.worker().requests() == 0; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  for (int i = 0; i < 2000 && gateway.worker().cancelled() == 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(gateway.worker().cancelled(), 1);
}

TEST(Proxy, TunnelsWebSocketsOnly) {
  Gateway gateway;
  RawClient client(gateway.port());
  client.send(
      "GET /websocket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  Received upgraded = client.receive_response();
  EXPECT_EQ(upgraded.status, 101);
  EXPECT_EQ(upgraded.field("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(upgraded.field("upgrade"), "websocket");
  client.send("ping through the tunnel");
  EXPECT_EQ(client.receive_until("tunnel"), "ping through the tunnel");
  client.shutdown_write();
  EXPECT_TRUE(client.closed_by_peer());
}

TEST(Proxy, PassesALargeBodyWithoutKeepingIt) {
  Gateway gateway;
  RawClient client(gateway.port());
  constexpr std::uint64_t kBytes = std::uint64_t{256} << 20;
  client.send("GET /big/" + std::to_string(kBytes) + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  std::uint64_t received = 0;
  for (;;) {
    std::string piece = client.receive_some();
    if (piece.empty()) break;
    received += piece.size();
  }
  EXPECT_GT(received, kBytes);
  EXPECT_LT(received, kBytes + 1000);
}

TEST(Proxy, AnswersExpectContinueItself) {
  Gateway gateway;
  RawClient client(gateway.port());
  client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(client.receive_response().status, 100);
  client.send("hello");
  Received response = client.receive_response();
  EXPECT_TRUE(contains(response.body, "\n\nhello")) << response.body;
  EXPECT_FALSE(contains(response.body, "Expect")) << response.body;
}

TEST(Proxy, RefusesAmbiguousFraming) {
  Gateway gateway;
  for (std::string_view request :
       {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", "GET / HTTP/1.1\nHost: a\n\n",
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"}) {
    RawClient client(gateway.port());
    client.send(request);
    Received response = client.receive_response();
    EXPECT_EQ(response.status, 400) << request;
    EXPECT_TRUE(client.closed_by_peer()) << request;
  }
  RawClient client(gateway.port());
  client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n");
  EXPECT_EQ(client.receive_response().status, 501);
  EXPECT_EQ(gateway.worker().requests(), 0);
}

TEST(Proxy, ServesHealthReadinessAndMetricsItself) {
  Gateway gateway;
  EXPECT_EQ(get(gateway.port(), "/healthz").body, "OK");
  EXPECT_EQ(get(gateway.port(), "/readyz").status, 200);
  EXPECT_EQ(get(gateway.port(), "/status/201").status, 201);
  Received metrics = get(gateway.port(), "/metrics");
  EXPECT_EQ(metrics.status, 200);
  EXPECT_TRUE(contains(metrics.body, "# TYPE")) << metrics.body.substr(0, 300);
  EXPECT_EQ(get(gateway.port(), "/metrics", {{"X-Forwarded-For", "1.2.3.4"}}).status, 403);
  EXPECT_EQ(gateway.worker().requests(), 1);
}

}  // namespace
}  // namespace sandgate::test
