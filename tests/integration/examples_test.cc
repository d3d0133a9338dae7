// SPDX-License-Identifier: Apache-2.0
//
// The examples in front of a worker, deployed as their README says.
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/gateway.h"
#include "tests/support/paths.h"

namespace sandgate::test {
namespace {

bool contains(const std::string& text, std::string_view needle) { return text.find(needle) != std::string::npos; }

// `options` as members of the module's object, each after a comma.
Received deploy_example(Gateway& gateway, const std::string& name, const std::string& points,
                        const std::string& options = "") {
  std::string body = R"({"modules":[{"name":")" + name + R"(","file_path":")" + guest_path("example_" + name) +
                     R"(","module_type":"Middleware","attach_points":[)" + points + "]" + options + "}]}";
  return fetch(gateway.port(), "POST", "/wasm", {{"Content-Type", "application/json"}}, body);
}

constexpr const char* kOnRequest = R"({"Middleware":"OnRequest"})";
constexpr const char* kBoth = R"({"Middleware":"OnRequest"},{"Middleware":"OnResponse"})";
constexpr const char* kLimiterOptions =
    R"(,"allow":{"key_value":["ratelimit"]},"config":{"window_ms":"3600000000000"})";

TEST(LoggingExample, TagsRequests) {
  Gateway gateway;
  ASSERT_EQ(deploy_example(gateway, "logging", kBoth).status, 200);
  Received api = get(gateway.port(), "/v1/models", {{"X-Request-Id", "id-7"}});
  EXPECT_TRUE(contains(api.body, "x-request-id: id-7\n")) << api.body;
  EXPECT_TRUE(contains(api.body, "x-wasm-processed: true\n")) << api.body;
  EXPECT_TRUE(contains(api.body, "x-processed-at: 1")) << api.body;
  EXPECT_TRUE(contains(api.body, "x-api-route: true\n")) << api.body;
  Received other = get(gateway.port(), "/generate");
  EXPECT_TRUE(contains(other.body, "x-wasm-processed: true\n")) << other.body;
  EXPECT_FALSE(contains(other.body, "x-api-route")) << other.body;
}

TEST(LoggingExample, TurnsA500IntoA503) {
  Gateway gateway;
  ASSERT_EQ(deploy_example(gateway, "logging", kBoth).status, 200);
  EXPECT_EQ(get(gateway.port(), "/status/500").status, 503);
  EXPECT_EQ(get(gateway.port(), "/status/502").status, 502);
}

TEST(RatelimitExample, Lets60RequestsOfAClientThrough) {
  Worker worker;
  config::Settings settings = gateway_settings({worker.url()});
  settings.threads = 2;
  Gateway gateway(settings);
  ASSERT_EQ(deploy_example(gateway, "ratelimit", kOnRequest, kLimiterOptions).status, 200);
  std::map<int, int> statuses;
  for (int i = 0; i < 65; ++i) ++statuses[get(gateway.port(), "/v1/models", {{"X-Api-Key", "mine"}}).status];
  EXPECT_EQ(statuses, (std::map<int, int>{{200, 60}, {429, 5}}));
  EXPECT_EQ(get(gateway.port(), "/v1/models", {{"Authorization", "Bearer other"}}).status, 200);
  EXPECT_EQ(get(gateway.port(), "/v1/models", {{"Authorization", "Bearer mine"}}).status, 429) << "the same key";
}

TEST(RatelimitExample, CountsAcrossThreads) {
  Worker worker;
  config::Settings settings = gateway_settings({worker.url()});
  settings.threads = 4;
  Gateway gateway(settings);
  ASSERT_EQ(deploy_example(gateway, "ratelimit", kOnRequest, kLimiterOptions).status, 200);
  std::atomic<int> passed{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      for (int n = 0; n < 25; ++n) {
        if (get(gateway.port(), "/", {{"X-Api-Key", "shared"}}).status == 200) ++passed;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(passed, 60);
}

TEST(RatelimitExample, KnowsClientsByAddressWithoutAKey) {
  Gateway gateway;
  std::string options = R"(,"allow":{"key_value":["ratelimit"]},"config":{"limit":"1","window_ms":"3600000000000"})";
  ASSERT_EQ(deploy_example(gateway, "ratelimit", kOnRequest, options).status, 200);
  EXPECT_EQ(get(gateway.port(), "/", {{"X-Forwarded-For", "192.0.2.1"}}).status, 200);
  EXPECT_EQ(get(gateway.port(), "/", {{"X-Forwarded-For", "192.0.2.1, 192.0.2.9"}}).status, 429);
  EXPECT_EQ(get(gateway.port(), "/", {{"X-Forwarded-For", "192.0.2.2"}}).status, 200);
}

TEST(RatelimitExample, IsRefusedWithoutItsPowersAndSaysWhich) {
  Gateway gateway;
  Received none = deploy_example(gateway, "ratelimit", kOnRequest, R"(,"config":{})");
  EXPECT_EQ(none.status, 400);
  EXPECT_TRUE(contains(none.body, "wasi:keyvalue/")) << none.body;
  EXPECT_TRUE(contains(none.body, R"(\"allow\": {\"key_value\": [)")) << none.body;
}

TEST(RatelimitExample, AnotherStoreDoesNotHelp) {
  Gateway gateway;
  ASSERT_EQ(deploy_example(gateway, "ratelimit", kOnRequest, R"(,"allow":{"key_value":["other"]},"config":{})").status,
            200);
  EXPECT_EQ(get(gateway.port(), "/").status, 503) << "the guest may not open its store and gives up";
}

TEST(OnError, AModuleMayAnswerForAWorkerThatIsGone) {
  // Nobody listens on the discard port.
  config::Settings settings = gateway_settings({"http://127.0.0.1:9"});
  Gateway gateway(settings);
  gateway.deploy("replace_response_body", {"OnError"});
  Received response = get(gateway.port(), "/");
  EXPECT_EQ(response.status, 502);
  EXPECT_FALSE(contains(response.body, "no upstream could be reached")) << response.body;
  EXPECT_TRUE(contains(get(gateway.port(), "/metrics").body,
                       R"(sandgate_module_calls_total{module="replace_response_body",attach_point="OnError",)"
                       R"(outcome="modify"} 1)"));
}

}  // namespace
}  // namespace sandgate::test
