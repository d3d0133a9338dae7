// SPDX-License-Identifier: Apache-2.0
//
// [state]: what gateways share and what outlives them, with the rate limiter of the examples.
#include <gtest/gtest.h>
#include <signal.h>

#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/gateway.h"
#include "tests/integration/process.h"
#include "tests/integration/worker.h"
#include "tests/support/http_client.h"
#include "tests/support/paths.h"
#include "tests/support/raw_server.h"
#include "tests/support/redis_server.h"
#include "tests/support/temporary_folder.h"

namespace sandgate::test {
namespace {

constexpr const char* kLimiterOptions = R"("allow":{"key_value":["ratelimit"]},"config":{"window_ms":"3600000000000"})";

int status_of(std::uint16_t port) { return get(port, "/", {{"X-Api-Key", "mine"}}).status; }

bool contains(const std::string& text, std::string_view needle) { return text.find(needle) != std::string::npos; }

// A gateway with the limiter, and its state somewhere.
std::unique_ptr<Gateway> limiting(Worker& worker, const capability::StateOptions& state, Milliseconds call_time = {}) {
  config::Settings settings = gateway_settings({worker.url()});
  settings.state = state;
  settings.threads = 2;
  if (call_time.count() != 0) settings.wasm_execution_time_max = call_time;
  auto gateway = std::make_unique<Gateway>(settings);
  Received deployed =
      gateway->post_module("ratelimit", guest_path("example_ratelimit"), {"OnRequest"}, kLimiterOptions);
  EXPECT_EQ(deployed.status, 200) << deployed.body;
  return gateway;
}

class SharedState : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!RedisServer::available()) GTEST_SKIP() << "there is no redis-server here: tools/test_tools fetches it";
    redis = std::make_unique<RedisServer>();
    state.url = redis->url();
    // Slow machines answer, too.
    state.timeout = Milliseconds(20'000);
  }
  static bool wait_until_reachable(const Gateway& gateway, std::uint64_t wanted) {
    for (int i = 0; i < 2000; ++i) {
      if (gateway.metric("sandgate_state_reachable") == wanted) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

  Worker worker;
  std::unique_ptr<RedisServer> redis;
  capability::StateOptions state;
};

TEST_F(SharedState, TwoGatewaysHaveOneLimit) {
  std::unique_ptr<Gateway> one = limiting(worker, state);
  std::unique_ptr<Gateway> two = limiting(worker, state);
  std::map<int, int> statuses;
  for (int i = 0; i < 65; ++i) ++statuses[status_of((i % 2 == 0 ? one : two)->port())];
  EXPECT_EQ(statuses, (std::map<int, int>{{200, 60}, {429, 5}}));
}

TEST_F(SharedState, ClosedRefusesWhileRedisIsAway) {
  std::unique_ptr<Gateway> gateway = limiting(worker, state);
  EXPECT_EQ(status_of(gateway->port()), 200);
  redis->kill();
  ASSERT_TRUE(wait_until_reachable(*gateway, 0));
  Received refused = get(gateway->port(), "/", {{"X-Api-Key", "mine"}});
  EXPECT_EQ(refused.status, 503);
  EXPECT_FALSE(contains(refused.body, "edis")) << "where state is kept is nothing for clients: " << refused.body;
  redis->start();
  ASSERT_TRUE(wait_until_reachable(*gateway, 1));
  EXPECT_EQ(status_of(gateway->port()), 200);
  EXPECT_EQ(gateway->metric(R"(sandgate_state_operations_total{operation="increment",outcome="ok"})"), 2U);
  EXPECT_EQ(gateway->metric(R"(sandgate_state_operations_total{operation="increment",outcome="unavailable"})"), 1U);
}

TEST_F(SharedState, OpenLetsEverybodyThroughWhileRedisIsAway) {
  state.on_unavailable = capability::OnUnavailable::kOpen;
  std::unique_ptr<Gateway> gateway = limiting(worker, state);
  redis->kill();
  ASSERT_TRUE(wait_until_reachable(*gateway, 0));
  for (int i = 0; i < 65; ++i) EXPECT_EQ(status_of(gateway->port()), 200);
  redis->start();
  ASSERT_TRUE(wait_until_reachable(*gateway, 1));
  std::map<int, int> statuses;
  for (int i = 0; i < 65; ++i) ++statuses[status_of(gateway->port())];
  EXPECT_EQ(statuses, (std::map<int, int>{{200, 60}, {429, 5}}));
}

TEST_F(SharedState, LocalLimitsInEachGatewayWhileRedisIsAway) {
  state.on_unavailable = capability::OnUnavailable::kLocal;
  std::unique_ptr<Gateway> one = limiting(worker, state);
  std::unique_ptr<Gateway> two = limiting(worker, state);
  redis->kill();
  ASSERT_TRUE(wait_until_reachable(*one, 0));
  ASSERT_TRUE(wait_until_reachable(*two, 0));
  std::map<int, int> statuses;
  for (int i = 0; i < 65; ++i) ++statuses[status_of(one->port())];
  EXPECT_EQ(statuses, (std::map<int, int>{{200, 60}, {429, 5}}));
  EXPECT_EQ(status_of(two->port()), 200);
}

TEST(State, AGatewayStartsWithoutItsRedis) {
  Worker worker;
  capability::StateOptions state;
  state.url = "redis://127.0.0.1:9";
  std::unique_ptr<Gateway> gateway = limiting(worker, state);
  EXPECT_EQ(status_of(gateway->port()), 503);
  EXPECT_EQ(gateway->metric("sandgate_state_reachable"), 0U);
}

TEST(State, ACallThatWaitsEndsAtItsDeadlineAndUsesNoCpu) {
  // Takes commands and never says a word.
  RawServer silent([](RawClient& connection, int) { connection.receive_all(); });
  Worker worker;
  config::Settings settings = gateway_settings({worker.url()});
  settings.state.url = "redis://" + silent.authority();
  settings.state.timeout = Milliseconds(60'000);
  settings.wasm_execution_time_max = Milliseconds(400);
  // Less than it waits: a wait that counted would end sooner and as something else.
  settings.wasm_cpu_time_max = Milliseconds(200);
  Gateway gateway(settings);
  ASSERT_EQ(gateway.post_module("ratelimit", guest_path("example_ratelimit"), {"OnRequest"}, kLimiterOptions).status,
            200);
  EXPECT_EQ(status_of(gateway.port()), 503);
  EXPECT_EQ(
      gateway.metric(R"(sandgate_module_calls_total{module="ratelimit",attach_point="OnRequest",outcome="deadline"})"),
      1U)
      << get(gateway.port(), "/metrics").body;
}

TEST(State, ACountInSqliteOutlivesAKill) {
  Worker worker;
  TemporaryFolder folder;
  std::string config = folder.write("sandgate.toml", R"([server]
listen = ["127.0.0.1:0"]
threads = 1
ephemeral = true
[state]
url = "sqlite:state.db"
[[upstream]]
name = "workers"
servers = [")" + worker.url() + R"("]
[[module]]
name = "ratelimit"
file = ")" + guest_path("example_ratelimit") + R"("
allow = { key_value = ["ratelimit"] }
config = { window_ms = "3600000000000" }
[[route]]
path = "/*rest"
middleware = ["ratelimit"]
upstream = "workers"
)");
  std::map<int, int> statuses;
  for (int sent : {40, 25}) {
    Process gateway({"serve", config});
    std::uint16_t port = gateway.wait_until_it_listens();
    ASSERT_NE(port, 0) << gateway.text();
    for (int i = 0; i < sent; ++i) ++statuses[status_of(port)];
    gateway.signal(SIGKILL);
    gateway.wait();
  }
  EXPECT_EQ(statuses, (std::map<int, int>{{200, 60}, {429, 5}}));
}

}  // namespace
}  // namespace sandgate::test
