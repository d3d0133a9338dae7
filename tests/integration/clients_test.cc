// SPDX-License-Identifier: Apache-2.0
//
// Who clients are and how many may come: the PROXY protocol, bounds on connections and requests.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/configured_server.h"
#include "tests/integration/worker.h"

namespace sandgate::test {
namespace {

using std::chrono::milliseconds;

bool contains(const std::string& text, std::string_view needle) { return text.find(needle) != std::string::npos; }

std::string to_worker(const Worker& worker, std::string_view server) {
  return fmt::format("[server]\nthreads = 2\n{}\n[[upstream]]\nname = \"w\"\nservers = \"{}\"\n", server, worker.url());
}

// A GET behind `header`, and what comes back.
Received ask(std::uint16_t port, std::string_view header, std::string_view path, std::string_view fields = {}) {
  RawClient client(port);
  client.send(fmt::format("{}GET {} HTTP/1.1\r\nHost: 127.0.0.1\r\n{}Connection: close\r\n\r\n", header, path, fields));
  return client.receive_response();
}

std::string line_of(std::string_view client) { return fmt::format("PROXY TCP4 {} 10.0.0.1 4000 80\r\n", client); }

TEST(ProxyProtocol, ItsClientIsWhomUpstreamsSee) {
  Worker worker;
  ConfiguredServer server(to_worker(worker, "proxy_protocol_from = [\"127.0.0.0/8\", \"unix\"]"));
  Received seen = ask(server.port(), line_of("203.0.113.7"), "/seen");
  EXPECT_TRUE(contains(seen.body, "x-forwarded-for: 203.0.113.7\n")) << seen.body;
  EXPECT_TRUE(contains(seen.body, "x-real-ip: 203.0.113.7\n")) << seen.body;
}

TEST(ProxyProtocol, ItsClientIsNoTrustedProxyBecauseTheProxyIsOne) {
  Worker worker;
  ConfiguredServer server(
      to_worker(worker, "proxy_protocol_from = \"127.0.0.1\"\ntrusted_proxies = [\"127.0.0.1\", \"198.51.100.0/24\"]"));
  constexpr std::string_view kClaim = "X-Forwarded-For: 192.0.2.1\r\n";
  Received spoofed = ask(server.port(), line_of("203.0.113.7"), "/seen", kClaim);
  EXPECT_TRUE(contains(spoofed.body, "x-forwarded-for: 203.0.113.7\n")) << spoofed.body;
  EXPECT_FALSE(contains(spoofed.body, "192.0.2.1")) << spoofed.body;
  Received trusted = ask(server.port(), line_of("198.51.100.9"), "/seen", kClaim);
  EXPECT_TRUE(contains(trusted.body, "x-forwarded-for: 192.0.2.1, 198.51.100.9\n")) << trusted.body;
}

TEST(ProxyProtocol, NobodyGetsTheRightsOfLoopbackByAHeader) {
  Worker worker;
  ConfiguredServer server(to_worker(worker, "proxy_protocol_from = \"127.0.0.1\""));
  EXPECT_EQ(ask(server.port(), line_of("127.0.0.1"), "/metrics").status, 403);
  EXPECT_EQ(ask(server.port(), "PROXY UNKNOWN\r\n", "/metrics").status, 403);
  constexpr std::string_view kLocal("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", 16);
  Received of_the_proxy = ask(server.port(), kLocal, "/metrics");
  EXPECT_EQ(of_the_proxy.status, 200) << "its own connection, from this machine";
  EXPECT_TRUE(contains(of_the_proxy.body, "\nsandgate_refused_proxy_headers_total 0\n"));
  EXPECT_EQ(ask(server.port(), "", "/metrics").status, 0);
  EXPECT_TRUE(contains(ask(server.port(), kLocal, "/metrics").body, "\nsandgate_refused_proxy_headers_total 1\n"));
  EXPECT_EQ(ask(server.port(), line_of("127.0.0.1"), "/healthz").status, 200);
  Received spoofed = ask(server.port(), line_of("127.0.0.1"), "/seen", "X-Forwarded-For: 192.0.2.1\r\n");
  EXPECT_FALSE(contains(spoofed.body, "192.0.2.1")) << "loopback is trusted by default, but this is not loopback";
}

TEST(ProxyProtocol, IsOffUnlessTheFileSaysFromWhom) {
  Worker worker;
  ConfiguredServer server(to_worker(worker, ""));
  EXPECT_EQ(ask(server.port(), line_of("203.0.113.7"), "/seen").status, 400);
  EXPECT_EQ(ask(server.port(), "", "/seen").status, 200);
}

TEST(Admission, RefusesRequestsAboveTheBoundAndServesAgainWhenThereIsRoom) {
  Worker worker;
  ConfiguredServer server(to_worker(worker, "max_requests_in_flight = 2"));
  std::vector<RawClient> busy;
  for (int i = 0; i < 2; ++i) {
    busy.emplace_back(server.port());
    busy.back().send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  for (int i = 0; i < 2000 && worker.requests() < 2; ++i) std::this_thread::sleep_for(milliseconds(5));
  ASSERT_EQ(worker.requests(), 2);
  Received refused = get(server.port(), "/seen");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.field("retry-after"), "1");
  EXPECT_EQ(worker.requests(), 2);
  EXPECT_EQ(get(server.port(), "/healthz").status, 200) << "a busy server lives";
  EXPECT_EQ(server.metric("sandgate_refused_requests_total"), 1U);
  worker.release();
  for (RawClient& client : busy) EXPECT_EQ(client.receive_response().body, "waited");
  EXPECT_EQ(get(server.port(), "/seen").status, 200);
}

TEST(Admission, AClientThatLeavesMakesRoom) {
  Worker worker;
  ConfiguredServer server(to_worker(worker, "max_requests_in_flight = 1"));
  {
    RawClient leaves(server.port());
    leaves.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    for (int i = 0; i < 2000 && worker.requests() < 1; ++i) std::this_thread::sleep_for(milliseconds(5));
    EXPECT_EQ(get(server.port(), "/seen").status, 503);
  }
  int status = 0;
  for (int i = 0; i < 2000 && status != 200; ++i) {
    std::this_thread::sleep_for(milliseconds(5));
    status = get(server.port(), "/seen").status;
  }
  EXPECT_EQ(status, 200);
}

TEST(Admission, OneClientHasAsManyConnectionsAsItMay) {
  Worker worker;
  ConfiguredServer server(to_worker(worker, "max_connections_per_client = 3"));
  std::vector<RawClient> open;
  for (int i = 0; i < 2; ++i) {
    open.emplace_back(server.port());
    open.back().send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(open.back().receive_response().status, 200);
  }
  RawClient third(server.port());
  third.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(third.receive_response().status, 200);
  RawClient fourth(server.port());
  EXPECT_TRUE(fourth.closed_by_peer());
  third.send("GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  Received metrics = third.receive_response();
  EXPECT_TRUE(contains(metrics.body, "\nsandgate_refused_connections_total 1\n")) << metrics.head << metrics.body;
}

}  // namespace
}  // namespace sandgate::test
