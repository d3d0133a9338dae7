// SPDX-License-Identifier: Apache-2.0
//
// Clients that send or read as slowly as they can: others are served meanwhile, and the timeouts end them. With few
// connections, so that it always runs; tests/slow_clients has the same with hundreds and somebody else's tool.
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/configured_server.h"
#include "tests/integration/worker.h"
#include "tests/support/temporary_folder.h"

namespace sandgate::test {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kClients = 20;
constexpr std::size_t kLargeBytes = std::size_t{16} << 20;
// Below the server's timeouts, so that each piece finds somebody who waits.
constexpr milliseconds kDrip{100};

class SlowClients : public ::testing::Test {
 protected:
  SlowClients() { folder_.write("large.bin", std::string(kLargeBytes, 'x')); }

  void open(std::string_view begin) {
    for (std::size_t i = 0; i < kClients; ++i) {
      clients_.emplace_back(server_.port());
      ASSERT_TRUE(clients_.back().send(begin));
    }
  }
  // Others get their answers.
  void expect_service() {
    EXPECT_EQ(get(server_.port(), "/quick").body, "quick");
    EXPECT_EQ(fetch(server_.port(), "POST", "/up/echo", {}, "body").status, 200);
  }
  // Until every slow client is gone; `meanwhile` is called again and again.
  template <typename Meanwhile>
  void wait_until_they_are_gone(Meanwhile meanwhile) {
    const auto patience = Clock::now() + RawClient::kPatience;
    // Its own connection asks.
    while (server_.metric("sandgate_connections_open") > 1) {
      ASSERT_LT(Clock::now(), patience) << "they are still connected";
      expect_service();
      meanwhile();
      std::this_thread::sleep_for(kDrip);
    }
  }

  TemporaryFolder folder_;
  Worker worker_;
  ConfiguredServer server_{fmt::format(R"(
[server]
threads = 1
timeouts = {{ head = "500ms", body = "500ms", write = "500ms", idle = "500ms" }}
[[upstream]]
name = "w"
servers = "{}"
[[route]]
path = "/quick"
respond = {{ body = "quick" }}
[[route]]
path = "/files/*rest"
files = {{ directory = "." }}
[[route]]
path = "/up/*rest"
)",
                                       worker_.url()),
                           folder_.path()};
  std::vector<RawClient> clients_;
};

TEST_F(SlowClients, WhoDripsAHeadIsCutHoweverSteadilyItDrips) {
  open("GET /quick HTTP/1.1\r\nHost: a\r\n");
  int number = 0;
  wait_until_they_are_gone([&] {
    ++number;
    for (RawClient& client : clients_) client.send(fmt::format("X-{}: y\r\n", number));
  });
  EXPECT_EQ(server_.metric("sandgate_timed_out_heads_total"), kClients);
}

TEST_F(SlowClients, WhoSaysNothingIsCut) {
  open("");
  wait_until_they_are_gone([] {});
}

TEST_F(SlowClients, WhoStopsInABodyIsCut) {
  open("POST /up/slow HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nbegin");
  wait_until_they_are_gone([] {});
  for (RawClient& client : clients_) EXPECT_EQ(client.receive_response().status, 408);
}

TEST_F(SlowClients, WhoDoesNotReadIsCut) {
  open("GET /files/large.bin HTTP/1.1\r\nHost: a\r\n\r\n");
  wait_until_they_are_gone([] {});
  for (RawClient& client : clients_) EXPECT_LT(client.receive_all().size(), kLargeBytes);
}

}  // namespace
}  // namespace sandgate::test
