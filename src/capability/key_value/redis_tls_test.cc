// SPDX-License-Identifier: Apache-2.0
//
// Redis behind TLS: rediss://.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "capability/key_value/redis_stores.h"
#include "capability/key_value/testing/redis_fixture.h"
#include "tests/support/raw_server.h"
#include "tests/support/redis_server.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tls_server.h"

namespace sandgate::capability {
namespace {

using test::RedisServer;
using testing::Asking;
using testing::LoopedRedis;

// Slow machines need time for a handshake; where nothing comes, little will do.
constexpr Milliseconds kPatient{20'000};
constexpr Milliseconds kShort{300};

class RedisTlsTest : public ::testing::Test {
 protected:
  void serve(const test::TestIdentity& identity) {
    server = std::make_unique<RedisServer>(authority.issue(identity));
    options.url = server->tls_url();
  }
  RedisTlsTest() {
    options.timeout = kPatient;
    options.tls.ca_file = folder.write("authority.pem", authority.pem());
  }
  // What a first operation of a new process says.
  Answer increment() const {
    LoopedRedis stores(options, 1);
    return Asking(stores, "a").increment("n", 1);
  }

  test::TemporaryFolder folder;
  test::TestAuthority authority;
  std::unique_ptr<RedisServer> server;
  StateOptions options;
};

#define NEEDS_REDIS() \
  if (!RedisServer::available()) GTEST_SKIP() << "there is no redis-server here: tools/test_tools fetches it"

TEST_F(RedisTlsTest, KeepsStoresInARedisThatSpeaksTls) {
  NEEDS_REDIS();
  serve({});
  LoopedRedis stores(options, 2);
  for (unsigned loop = 0; loop < 2; ++loop) EXPECT_EQ(Asking(stores, "a", loop).increment("n", 1).number, loop + 1);
  EXPECT_EQ(server->ask("GET sandgate:1:a:n"), "$1\r\n2\r\n");
  std::string big(1 << 20, 'x');
  Asking store(stores, "a");
  store.set("big", big);
  EXPECT_EQ(store.get("big"), big);
}

TEST_F(RedisTlsTest, ComesBackAfterAnOutage) {
  NEEDS_REDIS();
  serve({});
  LoopedRedis stores(options, 1);
  Asking store(stores, "a");
  EXPECT_EQ(store.increment("n", 1).number, 1);
  server->kill();
  ASSERT_TRUE(stores.wait_until_reachable(false));
  server->start();
  ASSERT_TRUE(stores.wait_until_reachable(true));
  EXPECT_EQ(store.increment("n", 1).number, 1) << "this server keeps nothing";
}

TEST_F(RedisTlsTest, ACertificateOfAnotherNameIsRefused) {
  NEEDS_REDIS();
  serve({.subject = "DNS:other.test"});
  EXPECT_EQ(increment().message, kUnreachable);
  options.tls.server_name = "other.test";
  EXPECT_EQ(increment().number, 1) << "unless that name is the one that is asked for";
}

TEST_F(RedisTlsTest, AnAddressIsVerifiedToo) {
  NEEDS_REDIS();
  serve({.subject = "IP:127.0.0.1"});
  EXPECT_EQ(increment().message, kUnreachable) << "the certificate has no name";
  options.url.replace(options.url.find("localhost"), 9, "127.0.0.1");
  EXPECT_EQ(increment().number, 1);
}

TEST_F(RedisTlsTest, AnExpiredCertificateIsRefused) {
  NEEDS_REDIS();
  serve({.valid_until_s = -60});
  EXPECT_EQ(increment().message, kUnreachable);
}

TEST_F(RedisTlsTest, AnUnknownAuthorityIsRefusedUnlessNobodyChecks) {
  NEEDS_REDIS();
  serve({});
  options.tls.ca_file = folder.write("stranger.pem", test::TestAuthority().pem());
  EXPECT_EQ(increment().message, kUnreachable);
  options.tls.verify = RedisTlsOptions::Verify::kOff;
  EXPECT_EQ(increment().number, 1);
}

TEST_F(RedisTlsTest, AsksForTheNameOfTheHost) {
  test::TlsServer no_redis(authority, {});
  options.url = "rediss://localhost:" + std::to_string(no_redis.port());
  options.timeout = kShort;
  EXPECT_EQ(increment().message, kUnreachable);
  EXPECT_EQ(no_redis.asked_for(), "localhost");
}

TEST_F(RedisTlsTest, WhatSpeaksNoTlsIsAway) {
  test::RawServer plain([](test::RawClient& connection, int) {
    while (!connection.receive_some().empty()) connection.send("+PONG\r\n");
  });
  options.url = "rediss://" + plain.authority();
  EXPECT_EQ(increment().message, kUnreachable);
}

TEST_F(RedisTlsTest, ASilentHandshakeEndsWithTheTimeout) {
  test::RawServer silent([](test::RawClient& connection, int) {
    while (!connection.receive_some().empty()) {}
  });
  options.url = "rediss://" + silent.authority();
  options.timeout = kShort;
  EXPECT_EQ(increment().message, kUnreachable);
}

TEST_F(RedisTlsTest, StoppingEndsAHandshake) {
  test::RawServer silent([](test::RawClient& connection, int) {
    while (!connection.receive_some().empty()) {}
  });
  options.url = "rediss://" + silent.authority();
  {
    LoopedRedis stores(options, 1);
    ASSERT_TRUE(silent.wait_for_connections(1));
  }
  SUCCEED() << "nothing waits for the timeout, and no frame stays behind";
}

TEST_F(RedisTlsTest, AFileThatHoldsNoAuthoritiesIsAMistake) {
  options.tls.ca_file = folder.write("empty.pem", "");
  Result<StateUrl> url = parse_state_url("rediss://localhost");
  Result<std::unique_ptr<RedisStores>> stores = RedisStores::create(options, *url, {}, StoreLimits());
  ASSERT_FALSE(stores);
  EXPECT_EQ(stores.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(stores.error().detail, ::testing::HasSubstr("empty.pem"));
}

}  // namespace
}  // namespace sandgate::capability
