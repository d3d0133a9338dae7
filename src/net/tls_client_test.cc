// SPDX-License-Identifier: Apache-2.0
//
// One channel against a server, without a loop: the test waits for the socket itself. What streams make of it is in
// upstream_connection_test.cc.
#include "net/tls_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <array>
#include <memory>
#include <string>
#include <utility>

#include "tests/support/http_client.h"
#include "tests/support/raw_server.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tls_server.h"

namespace sandgate::net {
namespace {

using Step = TlsChannel::Step;
using ::testing::HasSubstr;

constexpr std::string_view kRequest = "GET / HTTP/1.1\r\n\r\n";

// A channel and its socket.
class Connection {
 public:
  Connection(TlsClient& client, std::uint16_t port) : socket_(port), channel_(std::move(*client.open())) {
    channel_->attach(socket_.fd());
  }

  Step shake_hands() {
    return until_done([this] { return channel_->handshake(); });
  }
  Step send(std::string_view text) {
    while (!text.empty()) {
      std::size_t count = 0;
      Step step = until_done([&] { return channel_->write(text, &count); });
      if (step != Step::kDone) return step;
      text.remove_prefix(count);
    }
    return Step::kDone;
  }
  // The body of the next answer; empty when there is none.
  std::string ask() {
    if (send(kRequest) != Step::kDone) return {};
    std::string answer;
    while (!answer.ends_with("new") && !answer.ends_with("resumed")) {
      std::array<char, 4096> room;
      std::size_t count = 0;
      if (until_done([&] { return channel_->read(room, &count); }) != Step::kDone) return {};
      answer.append(room.data(), count);
    }
    return answer.substr(answer.find("\r\n\r\n") + 4);
  }
  TlsChannel& channel() { return *channel_; }
  test::RawClient& socket() { return socket_; }

 private:
  template <typename Try>
  Step until_done(Try attempt) {
    for (;;) {
      Step step = attempt();
      if (step != Step::kWantsInput && step != Step::kWantsOutput) return step;
      pollfd waited{socket_.fd(), static_cast<short>(step == Step::kWantsInput ? POLLIN : POLLOUT), 0};
      if (::poll(&waited, 1, static_cast<int>(test::RawClient::kPatience.count())) != 1) return Step::kBroken;
    }
  }

  test::RawClient socket_;
  std::unique_ptr<TlsChannel> channel_;
};

class TlsClientTest : public ::testing::Test {
 protected:
  TlsClientTest() {
    options.ca_file = folder.write("authority.pem", authority.pem());
    options.server_name = "localhost";
  }
  std::shared_ptr<TlsClient> client() const {
    Result<std::shared_ptr<TlsClient>> made = TlsClient::create(options);
    EXPECT_TRUE(made) << made.error().detail;
    return *made;
  }
  // How a handshake with a server of this identity fails; empty when it does not.
  std::string refusal(const test::TestIdentity& identity) const {
    test::TlsServer server(authority, identity);
    std::shared_ptr<TlsClient> shared = client();
    Connection connection(*shared, server.port());
    return connection.shake_hands() == Step::kDone ? "" : connection.channel().failure();
  }

  test::TemporaryFolder folder;
  test::TestAuthority authority;
  TlsClientOptions options;
};

TEST_F(TlsClientTest, AsksForTheNameAndTalks) {
  test::TlsServer server(authority, {});
  std::shared_ptr<TlsClient> shared = client();
  Connection connection(*shared, server.port());
  ASSERT_EQ(connection.shake_hands(), Step::kDone) << connection.channel().failure();
  EXPECT_EQ(connection.ask(), "new");
  EXPECT_EQ(server.asked_for(), "localhost");
}

TEST_F(TlsClientTest, VerifiesTheName) {
  EXPECT_EQ(refusal({}), "");
  EXPECT_EQ(refusal({.subject = "DNS:*.test,DNS:localhost"}), "");
  EXPECT_EQ(refusal({.subject = "DNS:other.test"}), "hostname mismatch");
  EXPECT_EQ(refusal({.subject = "IP:127.0.0.1"}), "hostname mismatch");
  options.server_name = "a.example.test";
  EXPECT_EQ(refusal({.subject = "DNS:*.example.test"}), "");
  EXPECT_EQ(refusal({.subject = "DNS:a*.example.test"}), "hostname mismatch") << "a wildcard is a whole label";
  options.server_name = "a.b.example.test";
  EXPECT_EQ(refusal({.subject = "DNS:*.example.test"}), "hostname mismatch") << "and one only";
}

TEST_F(TlsClientTest, VerifiesAnAddressAndAsksForNone) {
  options.server_name = "127.0.0.1";
  EXPECT_EQ(refusal({.subject = "DNS:localhost"}), "IP address mismatch");
  EXPECT_EQ(refusal({.subject = "DNS:127.0.0.1"}), "IP address mismatch") << "a name that looks like one is none";
  test::TlsServer server(authority, {});
  std::shared_ptr<TlsClient> shared = client();
  Connection connection(*shared, server.port());
  ASSERT_EQ(connection.shake_hands(), Step::kDone) << connection.channel().failure();
  EXPECT_EQ(connection.ask(), "new");
  EXPECT_EQ(server.asked_for(), "") << "RFC 6066 section 3: addresses are no server names";
}

TEST_F(TlsClientTest, VerifiesTimeAndAuthority) {
  EXPECT_EQ(refusal({.valid_until_s = -60}), "certificate has expired");
  options.ca_file = folder.write("stranger.pem", test::TestAuthority().pem());
  EXPECT_NE(refusal({}), "");
}

TEST_F(TlsClientTest, VerifiesNothingWhenToldSo) {
  options.verify = TlsClientOptions::Verify::kOff;
  options.ca_file.clear();
  EXPECT_EQ(refusal({.subject = "DNS:other.test", .valid_until_s = -60}), "");
}

TEST_F(TlsClientTest, ALaterConnectionGoesOnWithTheSession) {
  test::TlsServer server(authority, {});
  std::shared_ptr<TlsClient> shared = client();
  for (const char* expected : {"new", "resumed", "resumed"}) {
    Connection connection(*shared, server.port());
    ASSERT_EQ(connection.shake_hands(), Step::kDone) << connection.channel().failure();
    EXPECT_EQ(connection.ask(), expected);
    connection.channel().say_goodbye();
  }
}

TEST_F(TlsClientTest, ABrokenConnectionLeavesNoSession) {
  test::TlsServer good(authority, {});
  test::TlsServer bad(authority, {.subject = "DNS:other.test"});
  std::shared_ptr<TlsClient> shared = client();
  {
    Connection refused(*shared, bad.port());
    EXPECT_EQ(refused.shake_hands(), Step::kBroken);
  }
  Connection connection(*shared, good.port());
  ASSERT_EQ(connection.shake_hands(), Step::kDone) << connection.channel().failure();
  EXPECT_EQ(connection.ask(), "new");
}

TEST_F(TlsClientTest, IsSilentWhileThereIsNothingToRead) {
  test::TlsServer server(authority, {});
  std::shared_ptr<TlsClient> shared = client();
  Connection connection(*shared, server.port());
  ASSERT_EQ(connection.shake_hands(), Step::kDone);
  EXPECT_EQ(connection.ask(), "new");
  EXPECT_TRUE(connection.channel().silent()) << "tickets are no bytes of the server's";
  ASSERT_EQ(connection.send(kRequest), Step::kDone);
  pollfd waited{connection.socket().fd(), POLLIN, 0};
  ASSERT_EQ(::poll(&waited, 1, static_cast<int>(test::RawClient::kPatience.count())), 1);
  EXPECT_FALSE(connection.channel().silent());
  EXPECT_FALSE(connection.channel().silent()) << "looking takes nothing";
}

TEST_F(TlsClientTest, WhatSpeaksNoTlsIsBroken) {
  test::RawServer plain([](test::RawClient& peer, int) {
    peer.receive_some();
    peer.send("HTTP/1.1 400 Bad Request\r\n\r\n");
    peer.closed_by_peer();
  });
  std::shared_ptr<TlsClient> shared = client();
  Connection connection(*shared, plain.port());
  EXPECT_EQ(connection.shake_hands(), Step::kBroken);
  EXPECT_NE(connection.channel().failure(), "");
  connection.channel().say_goodbye();
}

TEST_F(TlsClientTest, AnEndInTheHandshakeIsBroken) {
  test::RawServer closing([](test::RawClient& peer, int) { peer.receive_some(); });
  std::shared_ptr<TlsClient> shared = client();
  Connection connection(*shared, closing.port());
  EXPECT_EQ(connection.shake_hands(), Step::kBroken);
  EXPECT_NE(connection.channel().failure(), "");
}

TEST_F(TlsClientTest, AChannelOutlivesTheClientItIsOf) {
  test::TlsServer server(authority, {});
  std::shared_ptr<TlsClient> shared = client();
  Connection connection(*shared, server.port());
  shared.reset();
  ASSERT_EQ(connection.shake_hands(), Step::kDone);
  EXPECT_EQ(connection.ask(), "new");
}

TEST_F(TlsClientTest, AFileThatIsNoListOfAuthoritiesIsAMistake) {
  for (const std::string& file : {folder.path("none.pem"), folder.write("empty.pem", ""),
                                  folder.write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n")}) {
    options.ca_file = file;
    Result<std::shared_ptr<TlsClient>> made = TlsClient::create(options);
    ASSERT_FALSE(made) << file;
    EXPECT_EQ(made.error().kind, ErrorKind::kInvalid);
    EXPECT_THAT(made.error().detail, HasSubstr(file));
  }
}

}  // namespace
}  // namespace sandgate::net
