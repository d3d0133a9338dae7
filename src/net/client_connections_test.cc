// SPDX-License-Identifier: Apache-2.0
#include "net/client_connections.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "net/testing/http_fixture.h"

namespace sandgate::net {
namespace {

using Place = ClientConnections::Place;

ClientKey key(const std::string& host) { return ClientKey(*resolve(host, 1)); }

TEST(ClientKey, IsAnIpv4AddressOrAnIpv6Network) {
  EXPECT_EQ(key("203.0.113.7"), key("203.0.113.7"));
  EXPECT_NE(key("203.0.113.7"), key("203.0.113.8"));
  EXPECT_EQ(key("203.0.113.7"), key("::ffff:203.0.113.7"));
  EXPECT_EQ(key("2001:db8::1"), key("2001:db8::ffff:1"));
  EXPECT_NE(key("2001:db8::1"), key("2001:db8:0:1::1"));
  EXPECT_NE(key("::1"), key("0.0.0.1"));
  EXPECT_FALSE(ClientKey(*parse_listen_address("unix:/tmp/x")).counted());
}

TEST(ClientConnections, EachClientHasAsManyAsItMay) {
  ClientConnections connections(2);
  Place first, second, third, other;
  EXPECT_TRUE(connections.enter(key("203.0.113.7"), first));
  EXPECT_TRUE(connections.enter(key("203.0.113.7"), second));
  EXPECT_FALSE(connections.enter(key("203.0.113.7"), third));
  EXPECT_TRUE(connections.enter(key("203.0.113.8"), other));
  EXPECT_EQ(connections.clients(), 2U);
  first.release();
  EXPECT_TRUE(connections.enter(key("203.0.113.7"), third));
  first.release();
  EXPECT_FALSE(connections.enter(key("203.0.113.7"), first)) << "a place is given back once";
}

TEST(ClientConnections, RemembersNobodyWhoLeft) {
  ClientConnections connections(1);
  for (int i = 0; i < 1000; ++i) {
    Place place;
    EXPECT_TRUE(connections.enter(key("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250)), place));
  }
  EXPECT_EQ(connections.clients(), 0U);
}

TEST(ClientConnections, WithoutABoundNothingIsCounted) {
  ClientConnections connections(0);
  Place place;
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(connections.enter(key("203.0.113.7"), place));
  EXPECT_EQ(connections.clients(), 0U);
}

TEST(ClientConnections, CountsRightFromManyThreads) {
  ClientConnections connections(3);
  std::atomic<int> entered{0};
  std::atomic<bool> above{false};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        Place place;
        if (!connections.enter(key("203.0.113.7"), place)) continue;
        if (++entered > 3) above = true;
        --entered;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(above.load());
  EXPECT_EQ(connections.clients(), 0U);
}

TEST(ServerWithABoundForClients, ClosesWhatIsAboveItAndServesAgainWhenThereIsRoom) {
  ServerOptions options;
  options.connections_per_client_max = 3;
  testing::TestServer server(options, 2);
  std::vector<test::RawClient> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(server.client());
    clients.back().send(testing::get_request("/hello"));
    EXPECT_EQ(clients.back().receive_response().body, "hello");
  }
  test::RawClient above = server.client();
  EXPECT_TRUE(above.closed_by_peer());
  EXPECT_EQ(server.server().counters().refused_clients.load(), 1U);
  clients.pop_back();
  for (int i = 0; i < 1000 && server.server().open_connections() > 2; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  test::RawClient again = server.client();
  again.send(testing::get_request("/hello"));
  EXPECT_EQ(again.receive_response().body, "hello");
}

}  // namespace
}  // namespace sandgate::net
