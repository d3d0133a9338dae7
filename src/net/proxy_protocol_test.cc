// SPDX-License-Identifier: Apache-2.0
#include "net/proxy_protocol.h"

#include <gtest/gtest.h>

#include <string>

#include "exchange/problem.h"
#include "http/testing/guarded_input.h"
#include "net/testing/http_fixture.h"

namespace sandgate::net {
namespace {

using Kind = ProxyHeaderResult::Kind;
using Client = ProxyHeader::Client;
using test::RawClient;
using testing::get_request;
using testing::TestServer;

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);

// A header of version 2; `length` is written instead of the content's own when it is given.
std::string binary(unsigned version_command, unsigned family, const std::string& content, int length = -1) {
  auto size = length >= 0 ? static_cast<std::size_t>(length) : content.size();
  std::string out(kSignature);
  out += static_cast<char>(version_command);
  out += static_cast<char>(family);
  out += static_cast<char>(size >> 8);
  out += static_cast<char>(size & 255);
  return out + content;
}

const std::string kIpv4 =
    std::string("\xcb\x00\x71\x07\x0a\x00\x00\x01\xe0\xd4\x01\xbb", 12);  // 203.0.113.7:57556, 10.0.0.1:443
const std::string kIpv6 = std::string("\x20\x01\x0d\xb8", 4) + std::string(11, '\0') + "\x07" + std::string(15, '\0') +
                          "\x01" + std::string("\xe0\xd4\x01\xbb", 4);
const std::string kFields = std::string("\x01\x00\x02h2", 5) + std::string(
                                                                   "\x02\x00\x0b"
                                                                   "example.com",
                                                                   14);

ProxyHeaderResult parse(const std::string& bytes) { return parse_proxy_header(bytes); }

// Where it came from; "unknown", "proxy", "more" or "malformed".
std::string source(const std::string& bytes) {
  ProxyHeaderResult result = parse(bytes);
  if (result.kind == Kind::kMore) return "more";
  if (result.kind == Kind::kMalformed) return "malformed";
  EXPECT_LE(result.consumed, bytes.size());
  if (result.header.client == Client::kUnknown) return "unknown";
  if (result.header.client == Client::kProxyItself) return "proxy";
  return result.header.source.text();
}

TEST(ProxyProtocol, ReadsLines) {
  EXPECT_EQ(source("PROXY TCP4 203.0.113.7 10.0.0.1 57556 443\r\nGET"), "203.0.113.7:57556");
  EXPECT_EQ(source("PROXY TCP6 2001:db8::7 ::1 57556 443\r\n"), "[2001:db8::7]:57556");
  EXPECT_EQ(source("PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n"), "0.0.0.0:0");
  EXPECT_EQ(source("PROXY UNKNOWN\r\n"), "unknown");
  EXPECT_EQ(source("PROXY UNKNOWN ffff::1 anything at all\r\n"), "unknown");
  ProxyHeaderResult result = parse("PROXY TCP4 203.0.113.7 10.0.0.1 57556 443\r\nGET");
  EXPECT_EQ(result.consumed, 43U);
  EXPECT_EQ(result.header.destination.text(), "10.0.0.1:443");
}

TEST(ProxyProtocol, ReadsBinaryHeaders) {
  EXPECT_EQ(source(binary(0x21, 0x11, kIpv4)), "203.0.113.7:57556");
  EXPECT_EQ(source(binary(0x21, 0x21, kIpv6)), "[2001:db8::7]:57556");
  EXPECT_EQ(source(binary(0x21, 0x11, kIpv4 + kFields)), "203.0.113.7:57556");
  EXPECT_EQ(source(binary(0x21, 0x31, std::string(216, '/'))), "unknown");
  EXPECT_EQ(source(binary(0x21, 0x00, "")), "unknown");
  EXPECT_EQ(source(binary(0x21, 0x00, kFields)), "unknown");
  EXPECT_EQ(source(binary(0x20, 0x00, "")), "proxy");
  EXPECT_EQ(source(binary(0x20, 0x11, kIpv4)), "proxy");
  EXPECT_EQ(source(binary(0x20, 0xff, "x")), "proxy") << "what a proxy's own connection says does not count";
  EXPECT_EQ(parse(binary(0x21, 0x11, kIpv4 + kFields) + "GET").consumed, 16 + kIpv4.size() + kFields.size());
  EXPECT_EQ(parse(binary(0x21, 0x21, kIpv6)).header.destination.text(), "[::1]:443");
}

TEST(ProxyProtocol, EveryBeginningOfAHeaderNeedsMore) {
  http::testing::GuardedInput input(4096);
  for (const std::string& whole :
       {std::string("PROXY TCP4 203.0.113.7 10.0.0.1 57556 443\r\n"), std::string("PROXY UNKNOWN\r\n"),
        std::string("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 "
                    "65535\r\n"),
        binary(0x21, 0x11, kIpv4 + kFields), binary(0x21, 0x21, kIpv6), binary(0x20, 0x00, ""),
        binary(0x21, 0x31, std::string(216, '\0'))}) {
    for (std::size_t cut = 0; cut < whole.size(); ++cut)
      EXPECT_EQ(parse_proxy_header(input.place(whole.substr(0, cut))).kind, Kind::kMore) << cut << " of " << whole;
    ProxyHeaderResult result = parse_proxy_header(input.place(whole));
    EXPECT_EQ(result.kind, Kind::kDone) << whole;
    EXPECT_EQ(result.consumed, whole.size());
  }
}

TEST(ProxyProtocol, RefusesWhatIsNoHeader) {
  for (const char* text : {"GET / HTTP/1.1\r\n",
                           "P ",
                           "proxy TCP4",
                           "PROXY  TCP4 1.2.3.4 1.2.3.4 1 1\r\n",
                           "\r\n\r\nG",
                           "\n",
                           "PROXY TCP4 1.2.3.4 1.2.3.4 1 1 \r\n",
                           "PROXY TCP4 1.2.3.4  1.2.3.4 1 1\r\n",
                           "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
                           "PROXY TCP4 1.2.3.4 1.2.3.4 1 1 1\r\n",
                           "PROXY TCP4 1.2.3 1.2.3.4 1 1\r\n",
                           "PROXY TCP4 1.2.3.256 1.2.3.4 1 1\r\n",
                           "PROXY TCP4 ::1 ::1 1 1\r\n",
                           "PROXY TCP6 1.2.3.4 1.2.3.4 1 1\r\n",
                           "PROXY TCP4 1.2.3.4 1.2.3.4 01 1\r\n",
                           "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
                           "PROXY TCP4 1.2.3.4 1.2.3.4 -1 1\r\n",
                           "PROXY TCP4 1.2.3.4 1.2.3.4 1 1\n\r\n",
                           "PROXY TCP4 01.2.3.4 1.2.3.4 1 1\r\n",
                           "PROXY TCP4 a.example 1.2.3.4 1 1\r\n",
                           "PROXY TCP5 1.2.3.4 1.2.3.4 1 1\r\n",
                           "PROXY UDP4 1.2.3.4 1.2.3.4 1 1\r\n",
                           "PROXY TCP4\r\n",
                           "PROXY \r\n",
                           "PROXY UNKNOWNX\r\n",
                           "PROXY TCP6 fe80::1%eth0 ::1 1 1\r\n"})
    EXPECT_EQ(source(text), "malformed") << text;
  EXPECT_EQ(source(binary(0x11, 0x11, kIpv4)), "malformed") << "version 1 in binary";
  EXPECT_EQ(source(binary(0x22, 0x11, kIpv4)), "malformed") << "an unknown command";
  for (unsigned family : {0x01U, 0x10U, 0x12U, 0x13U, 0x22U, 0x32U, 0x41U, 0xffU})
    EXPECT_EQ(source(binary(0x21, family, std::string(300, 'x'))), "malformed") << family;
  EXPECT_EQ(source(binary(0x21, 0x11, kIpv4.substr(1))), "malformed") << "shorter than its addresses";
  EXPECT_EQ(source(binary(0x21, 0x21, kIpv6.substr(1))), "malformed");
  EXPECT_EQ(source(binary(0x21, 0x31, std::string(215, 'x'))), "malformed");
}

TEST(ProxyProtocol, RefusesWhatIsTooLongAsSoonAsItIs) {
  EXPECT_EQ(source("PROXY UNKNOWN " + std::string(106 - 14, 'x')), "more");
  EXPECT_EQ(source("PROXY UNKNOWN " + std::string(105 - 14, 'x') + "\r\n"), "unknown") << "107 with its end";
  EXPECT_EQ(source("PROXY UNKNOWN " + std::string(107 - 14, 'x')), "malformed");
  EXPECT_EQ(source("PROXY UNKNOWN " + std::string(106 - 14, 'x') + "\r\n"), "malformed");
  EXPECT_EQ(source(binary(0x21, 0x11, "", 2048 - 16)), "more");
  EXPECT_EQ(source(binary(0x21, 0x11, "", 2048 - 15)), "malformed");
  EXPECT_EQ(source(binary(0x20, 0x00, "", 65535)), "malformed");
}

// Servers.

Task<Status> show_peer(Exchange& exchange, testing::Stage&) {
  const Peer& peer = exchange.peer;
  std::string text = std::string(peer.address) + " " + std::to_string(peer.port) + (peer.loopback ? " loopback" : "");
  text += " at " + std::string(exchange.local.address);
  Status status = co_await respond(exchange, 200, "text/plain", exchange.arena().copy(text));
  co_return status;
}

class ProxiedServer : public ::testing::Test {
 protected:
  static ServerOptions options() {
    ServerOptions options;
    options.head = Milliseconds(300);
    options.connections_per_client_max = 2;
    options.proxy_protocol_from = [](const Address& peer) { return peer.is_loopback(); };
    return options;
  }
  ProxiedServer() { server_.handler.add("/peer", &show_peer); }
  std::string peer_after(const std::string& header) {
    RawClient client = server_.client();
    client.send(header + get_request("/peer"));
    return client.receive_response().body;
  }
  std::uint64_t refused() { return server_.server().counters().refused_proxy_headers.load(); }

  TestServer server_{options()};
};

TEST_F(ProxiedServer, TheClientIsWhomTheHeaderNames) {
  EXPECT_EQ(peer_after("PROXY TCP4 203.0.113.7 10.0.0.1 57556 443\r\n"), "203.0.113.7 57556 at 10.0.0.1");
  EXPECT_EQ(peer_after(binary(0x21, 0x21, kIpv6 + kFields)), "2001:db8::7 57556 at ::1");
  EXPECT_EQ(refused(), 0U);
}

TEST_F(ProxiedServer, NobodyInAHeaderIsOnThisMachine) {
  EXPECT_EQ(peer_after("PROXY TCP4 127.0.0.1 127.0.0.1 1 1\r\n"), "127.0.0.1 1 at 127.0.0.1");
  std::string unknown = peer_after("PROXY UNKNOWN\r\n");
  EXPECT_TRUE(unknown.starts_with("127.0.0.1 ")) << unknown;
  EXPECT_EQ(unknown.find("loopback"), std::string::npos) << "a client that the proxy does not know";
  std::string itself = peer_after(binary(0x20, 0x00, ""));
  EXPECT_NE(itself.find("loopback"), std::string::npos) << "the proxy's own connection";
}

TEST_F(ProxiedServer, TheHeaderMayComeByteByByteAndIsSaidOnce) {
  RawClient client = server_.client();
  for (char byte : binary(0x21, 0x11, kIpv4) + get_request("/peer")) ASSERT_TRUE(client.send({&byte, 1}));
  EXPECT_EQ(client.receive_response().body, "203.0.113.7 57556 at 10.0.0.1");
  client.send(get_request("/peer"));
  EXPECT_EQ(client.receive_response().body, "203.0.113.7 57556 at 10.0.0.1");
  client.send("PROXY TCP4 198.51.100.1 10.0.0.1 1 1\r\n" + get_request("/peer"));
  EXPECT_EQ(client.receive_response().status, 400);
}

TEST_F(ProxiedServer, WithoutAHeaderTheConnectionEnds) {
  RawClient none = server_.client();
  none.send(get_request("/peer"));
  EXPECT_TRUE(none.closed_by_peer());
  RawClient half = server_.client();
  half.send("PROXY TCP4 203.0.113.7 ");
  EXPECT_TRUE(half.closed_by_peer()) << "in the time that a head has";
  RawClient silent = server_.client();
  EXPECT_TRUE(silent.closed_by_peer());
  EXPECT_TRUE(server_.wait_until_empty());
  EXPECT_EQ(refused(), 3U);
}

TEST_F(ProxiedServer, WhoOnlyKnocksIsNotCounted) {
  {
    RawClient knocks = server_.client();
    ASSERT_TRUE(knocks.connected());
  }
  EXPECT_EQ(peer_after("PROXY TCP4 203.0.113.7 10.0.0.1 57556 443\r\n"), "203.0.113.7 57556 at 10.0.0.1");
  EXPECT_TRUE(server_.wait_until_empty());
  EXPECT_EQ(refused(), 0U);
}

TEST_F(ProxiedServer, ConnectionsAreCountedForTheClientAndNotForTheProxy) {
  const std::string one = "PROXY TCP4 203.0.113.7 10.0.0.1 1 1\r\n" + get_request("/hello");
  const std::string other = "PROXY TCP4 203.0.113.8 10.0.0.1 1 1\r\n" + get_request("/hello");
  RawClient first = server_.client();
  RawClient second = server_.client();
  for (RawClient* client : {&first, &second}) {
    client->send(one);
    EXPECT_EQ(client->receive_response().body, "hello");
  }
  RawClient third = server_.client();
  third.send(one);
  EXPECT_TRUE(third.closed_by_peer());
  EXPECT_EQ(server_.server().counters().refused_clients.load(), 1U);
  RawClient fourth = server_.client();
  fourth.send(other);
  EXPECT_EQ(fourth.receive_response().body, "hello");
}

TEST(UnproxiedServer, AHeaderOfAnybodyElseIsABadRequest) {
  ServerOptions options;
  options.proxy_protocol_from = [](const Address&) { return false; };
  for (const ServerOptions& allowed : {options, ServerOptions()}) {
    TestServer server(allowed);
    for (const std::string& header : {std::string("PROXY TCP4 203.0.113.7 10.0.0.1 1 1\r\n"),
                                      std::string("PROXY UNKNOWN\r\n"), binary(0x21, 0x11, kIpv4)}) {
      RawClient client = server.client();
      client.send(header + get_request("/hello"));
      EXPECT_EQ(client.receive_response().status, 400);
      EXPECT_TRUE(client.closed_by_peer());
    }
  }
}

}  // namespace
}  // namespace sandgate::net
