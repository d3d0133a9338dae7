// SPDX-License-Identifier: Apache-2.0
//
// How a module is run, as its deployment says: what outlives a call, what it sees, and when it runs at all.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>

#include "tests/integration/gateway.h"

namespace sandgate::test {
namespace {

constexpr std::string_view kReuse = R"("instance":"reuse")";

bool contains(const std::string& text, std::string_view needle) { return text.find(needle) != std::string::npos; }

// What call_counter told the worker; 0 when it told nothing.
int calls_seen(const Gateway& gateway) {
  constexpr std::string_view kField = "x-calls: ";
  std::string body = get(gateway.port(), "/").body;
  std::size_t at = body.find(kField);
  return at == std::string::npos ? 0 : std::stoi(body.substr(at + kField.size(), 10));
}

TEST(InstanceMode, IsFreshUnlessTheDeploymentSaysOtherwise) {
  for (std::string_view options : {std::string_view(), std::string_view(R"("instance":"fresh")")}) {
    Gateway gateway;
    gateway.deploy("call_counter", {"OnRequest"}, options);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(calls_seen(gateway), 1);
  }
}

TEST(InstanceMode, ReuseKeepsAnInstanceForOtherExchanges) {
  Gateway gateway;
  gateway.deploy("call_counter", {"OnRequest"}, kReuse);
  for (int i = 1; i <= 5; ++i) EXPECT_EQ(calls_seen(gateway), i);
}

TEST(InstanceMode, MetricsTellHowManyInstancesExist) {
  Gateway gateway;
  gateway.deploy("call_counter", {"OnRequest"}, kReuse);
  const std::string gauge = R"(sandgate_module_instances{module="call_counter",attach_point="OnRequest"})";
  EXPECT_EQ(gateway.metric(gauge), 0U);
  EXPECT_EQ(calls_seen(gateway), 1);
  EXPECT_EQ(gateway.metric(gauge), 1U);
  EXPECT_EQ(get(gateway.port(), "/?trap").status, 503);
  EXPECT_EQ(gateway.metric(gauge), 0U);
}

TEST(InstanceMode, AReusedInstanceIsReplacedAfterItsCalls) {
  Gateway gateway;
  gateway.deploy("call_counter", {"OnRequest"}, R"("instance":"reuse","reuse":{"max_calls":3})");
  for (int i = 0; i < 9; ++i) EXPECT_EQ(calls_seen(gateway), i % 3 + 1);
}

TEST(InstanceMode, AReusedInstanceIsReplacedWhenItIsOld) {
  Gateway gateway;
  gateway.deploy("call_counter", {"OnRequest"}, R"("instance":"reuse","reuse":{"max_age_s":1})");
  EXPECT_EQ(calls_seen(gateway), 1);
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  EXPECT_EQ(calls_seen(gateway), 1);
}

TEST(InstanceMode, AnInstanceThatTrappedIsNotReused) {
  Gateway gateway;
  gateway.deploy("call_counter", {"OnRequest"}, kReuse);
  EXPECT_EQ(calls_seen(gateway), 1);
  EXPECT_EQ(calls_seen(gateway), 2);
  EXPECT_EQ(get(gateway.port(), "/?trap").status, 503);
  EXPECT_EQ(calls_seen(gateway), 1);
  EXPECT_EQ(calls_seen(gateway), 2);
}

TEST(InstanceMode, InstancesGoWithTheirModule) {
  Gateway gateway;
  std::string uuid = gateway.deploy("call_counter", {"OnRequest"}, kReuse);
  EXPECT_EQ(calls_seen(gateway), 1);
  EXPECT_EQ(calls_seen(gateway), 2);
  EXPECT_EQ(gateway.remove(uuid).status, 200);
  EXPECT_EQ(calls_seen(gateway), 0);
  gateway.deploy("call_counter", {"OnRequest"}, kReuse);
  EXPECT_EQ(calls_seen(gateway), 1);
}

TEST(InstanceMode, TheHooksOfAnExchangeMayShareOne) {
  Gateway gateway;
  gateway.deploy("call_counter", {"OnRequest", "OnResponse"}, R"("instance":"exchange")");
  for (int i = 0; i < 3; ++i) {
    Received response = get(gateway.port(), "/");
    EXPECT_TRUE(contains(response.body, "x-calls: 1\n")) << response.body;
    EXPECT_EQ(response.field("x-calls"), "2");
  }
}

TEST(InstanceMode, KeptInstancesAreBounded) {
  for (int bound : {1, 2}) {
    Worker worker;
    config::Settings settings = gateway_settings({worker.url()});
    settings.wasm_warm_instances = static_cast<std::size_t>(bound);
    Gateway gateway(settings);
    gateway.deploy("call_counter", {"OnRequest"}, kReuse);
    gateway.deploy("continue_all", {"OnRequest"}, kReuse);
    EXPECT_EQ(calls_seen(gateway), 1);
    // With room for one, the other module's instance has taken it.
    EXPECT_EQ(calls_seen(gateway), bound);
  }
}

TEST(Bodies, AreNotShownToAModuleThatWantsNone) {
  Worker worker;
  config::Settings settings = gateway_settings({worker.url()});
  settings.body_bytes_max = 1 << 20;
  Gateway gateway(settings);
  gateway.deploy("echo_request", {"OnRequest"}, R"("body":false)");
  Received response = fetch(gateway.port(), "POST", "/", {}, "12345");
  EXPECT_TRUE(contains(response.body, "x-echo-body-length: 0\n")) << response.body;
  EXPECT_TRUE(contains(response.body, "\n\n12345")) << "the body did not pass by the module: " << response.body;
  EXPECT_EQ(fetch(gateway.port(), "POST", "/", {}, std::string(2 << 20, 'x')).status, 200)
      << "nothing is buffered, so no limit applies";
}

TEST(Bodies, CannotBeReplacedByAModuleThatWantsNone) {
  Gateway gateway;
  gateway.deploy("replace_request_body", {"OnRequest"}, R"("body":false)");
  EXPECT_TRUE(contains(fetch(gateway.port(), "POST", "/", {}, "12345").body, "\n\n12345"));
  gateway.deploy("replace_response_body", {"OnResponse"}, R"("body":false)");
  EXPECT_EQ(get(gateway.port(), "/status/200").body, "status 200");
}

config::Settings with_dead_worker() {
  Worker worker;
  std::string url = worker.url();
  worker.stop();
  return gateway_settings({url});
}

TEST(OnError, AModuleSeesTheGatewaysOwnAnswer) {
  Gateway gateway(with_dead_worker());
  gateway.deploy("only_response", {"OnError"});
  Received response = get(gateway.port(), "/");
  EXPECT_EQ(response.status, 502);
  EXPECT_EQ(response.field("x-echo-status"), "502");
  EXPECT_EQ(response.field("x-echo-body-length"), std::to_string(response.body.size()));
}

TEST(OnError, AModuleMayReplaceItAndItsStatus) {
  Gateway gateway(with_dead_worker());
  std::string uuid = gateway.deploy("replace_response_body", {"OnError"});
  EXPECT_EQ(get(gateway.port(), "/").body, "replaced response");
  gateway.remove(uuid);
  gateway.deploy("response_reject_418", {"OnError"});
  EXPECT_EQ(get(gateway.port(), "/").status, 418);
}

TEST(OnError, AModuleThatFailsLeavesItAsItWas) {
  Gateway gateway(with_dead_worker());
  gateway.deploy("trap_always", {"OnError"});
  Received response = get(gateway.port(), "/");
  EXPECT_EQ(response.status, 502);
  EXPECT_EQ(response.field("content-type"), "application/problem+json");
  EXPECT_EQ(
      gateway.metric(R"(sandgate_module_calls_total{module="trap_always",attach_point="OnError",outcome="trap"})"), 1U);
}

TEST(OnError, IsNotForAnswersOfTheWorker) {
  Gateway gateway;
  gateway.deploy("replace_response_body", {"OnError"});
  EXPECT_EQ(get(gateway.port(), "/status/500").body, "status 500");
}

}  // namespace
}  // namespace sandgate::test
