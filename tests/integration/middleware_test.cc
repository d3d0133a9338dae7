// SPDX-License-Identifier: Apache-2.0
//
// Modules around proxied traffic: what each action does to a message, in which order, and what happens when a module
// fails.
#include <gtest/gtest.h>

#include "tests/integration/gateway.h"
#include "tests/support/paths.h"

namespace sandgate::test {
namespace {

bool contains(const std::string& text, std::string_view needle) { return text.find(needle) != std::string::npos; }

TEST(Middleware, GuestSeesTheRequestAsItIs) {
  Gateway gateway;
  gateway.deploy("echo_request");
  Received response = fetch(gateway.port(), "POST", "/v1/%7Euser?a=b&c",
                            {{"X-Echo-Me", "one"}, {"X-Echo-Me", "two"}, {"X-Request-Id", "id-7"}}, "12345");
  EXPECT_EQ(response.status, 200) << response.body;
  EXPECT_TRUE(contains(response.body, "x-echo-method: POST\n")) << response.body;
  EXPECT_TRUE(contains(response.body, "x-echo-path: /v1/~user\n")) << response.body;
  EXPECT_TRUE(contains(response.body, "x-echo-query: a=b&c\n")) << response.body;
  EXPECT_TRUE(contains(response.body, "x-echo-request-id: id-7\n")) << response.body;
  EXPECT_TRUE(contains(response.body, "x-echo-body-length: 5\n")) << response.body;
  EXPECT_TRUE(contains(response.body, "x-echo-you: one\nx-echo-you: two\n")) << response.body;
  EXPECT_TRUE(contains(response.body, "x-echo-time: 1")) << response.body;
  EXPECT_TRUE(contains(response.body, "\n\n12345")) << response.body;
}

TEST(Middleware, RejectStopsTheRequestBeforeTheWorker) {
  Gateway gateway;
  gateway.deploy("reject_403");
  Received response = get(gateway.port(), "/");
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(response.field("content-type"), "application/problem+json");
  EXPECT_EQ(gateway.worker().requests(), 0);
}

TEST(Middleware, RejectWithAnInvalidStatusIsAFailureOfTheModule) {
  Gateway gateway;
  gateway.deploy("reject_invalid_status");
  EXPECT_EQ(get(gateway.port(), "/?42").status, 503);
  EXPECT_EQ(get(gateway.port(), "/?1000").status, 503);
  EXPECT_EQ(gateway.worker().requests(), 0);
}

TEST(Middleware, FieldsAreSetThenAddedThenRemoved) {
  Gateway gateway;
  gateway.deploy("set_add_remove", {"OnRequest", "OnResponse"});
  Received response =
      get(gateway.port(), "/", {{"X-Set", "old"}, {"X-Add", "mine"}, {"X-Remove", "1"}, {"x-remove", "2"}});
  EXPECT_TRUE(contains(response.body, "x-set: new\n")) << response.body;
  EXPECT_FALSE(contains(response.body, "old")) << response.body;
  EXPECT_TRUE(contains(response.body, "x-add: first\nx-add: second\n")) << response.body;
  EXPECT_TRUE(contains(response.body, "mine\n")) << response.body;
  EXPECT_FALSE(contains(response.body, "emove")) << response.body;
  EXPECT_FALSE(contains(response.body, "x-order")) << response.body;
  EXPECT_EQ(response.field("x-set"), "new");
  EXPECT_TRUE(contains(response.head, "x-add: first\r\nx-add: second")) << response.head;
  EXPECT_FALSE(response.field("x-order"));
}

TEST(Middleware, BodyReplacementIsFramedAnew) {
  Gateway gateway;
  gateway.deploy("body_echo_upper");
  Received upper = fetch(gateway.port(), "POST", "/", {}, "shout");
  EXPECT_TRUE(contains(upper.body, "\n\nSHOUT")) << upper.body;
  gateway.deploy("replace_response_body", {"OnResponse"});
  Received replaced = get(gateway.port(), "/chunks");
  EXPECT_EQ(replaced.body, "replaced response");
  EXPECT_EQ(replaced.field("content-length"), "17");
  EXPECT_FALSE(replaced.field("transfer-encoding"));
  EXPECT_TRUE(replaced.complete);
}

TEST(Middleware, RequestBodyReplacedForTheWorker) {
  Gateway gateway;
  gateway.deploy("replace_request_body");
  Received response = fetch(gateway.port(), "POST", "/", {}, std::string(5000, 'x'));
  EXPECT_EQ(response.status, 200);
  EXPECT_FALSE(contains(response.body, "xxxxx")) << "the client's body reached the worker";
}

TEST(Middleware, ADroppedBodyForHead) {
  Gateway gateway;
  gateway.deploy("replace_response_body", {"OnResponse"});
  RawClient client(gateway.port());
  client.send(
      "HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET /status/204 HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.receive_response(true).status, 200);
  EXPECT_EQ(client.receive_response().status, 204);
  EXPECT_EQ(client.receive_response().body, "replaced response");
}

TEST(Middleware, ModulesRunInDeploymentOrderAndSeeEarlierEdits) {
  Gateway forwards;
  forwards.deploy("append_a");
  forwards.deploy("append_b");
  EXPECT_TRUE(contains(get(forwards.port(), "/").body, "x-order: ab")) << get(forwards.port(), "/").body;
  Gateway backwards;
  backwards.deploy("append_b");
  backwards.deploy("append_a");
  EXPECT_TRUE(contains(get(backwards.port(), "/").body, "x-order: ba")) << get(backwards.port(), "/").body;
}

TEST(Middleware, ARejectKeepsLaterModulesFromRunning) {
  Gateway gateway;
  gateway.deploy("reject_403");
  gateway.deploy("trap_always");
  EXPECT_EQ(get(gateway.port(), "/").status, 403);
}

TEST(Middleware, StatusOfARequestEditIsIgnored) {
  Gateway gateway;
  gateway.deploy("status_on_request");
  EXPECT_EQ(get(gateway.port(), "/").status, 200);
}

TEST(Middleware, ResponseStatusCanBeChanged) {
  Gateway gateway;
  gateway.deploy("response_500_to_503", {"OnResponse"});
  Received changed = get(gateway.port(), "/status/500");
  EXPECT_EQ(changed.status, 503);
  EXPECT_EQ(changed.body, "status 500");
  EXPECT_EQ(get(gateway.port(), "/status/502").status, 502);
}

TEST(Middleware, RejectOnResponseReplacesTheBody) {
  Gateway gateway;
  gateway.deploy("response_reject_418", {"OnResponse"});
  Received response = get(gateway.port(), "/");
  EXPECT_EQ(response.status, 418);
  EXPECT_FALSE(contains(response.body, "GET /")) << "the worker's body leaked: " << response.body;
  EXPECT_FALSE(response.field("set-cookie")) << response.head;
}

TEST(Middleware, FramingAndHopByHopEditsAreIgnored) {
  Gateway gateway;
  gateway.deploy("framing_edit");
  Received response = fetch(gateway.port(), "POST", "/", {}, "12345");
  EXPECT_EQ(response.status, 200) << response.body;
  EXPECT_TRUE(contains(response.body, "\n\n12345")) << response.body;
}

TEST(Middleware, AFailingRequestModuleFailsClosedWithOneStatus) {
  for (std::string_view guest :
       {"trap_always", "invalid_header", "bad_utf8_result", "bad_discriminant", "stack_recursion", "memory_eater"}) {
    Gateway gateway;
    gateway.deploy(guest);
    Received response = get(gateway.port(), "/");
    EXPECT_EQ(response.status, 503) << guest << " " << response.body;
    EXPECT_FALSE(contains(response.body, "trap")) << "internals leak: " << response.body;
    EXPECT_EQ(gateway.worker().requests(), 0) << guest;
    EXPECT_EQ(get(gateway.port(), "/healthz").status, 200) << guest;
  }
}

TEST(Middleware, AFailingResponseModuleIsSkipped) {
  Gateway gateway;
  gateway.deploy("trap_always", {"OnResponse"});
  Received response = get(gateway.port(), "/status/200");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "status 200");
  EXPECT_TRUE(contains(get(gateway.port(), "/wasm").body, "\"failed_executions\":1"));
}

TEST(Middleware, StreamingResponsesAreNotHeldBack) {
  Gateway gateway;
  gateway.deploy("set_add_remove", {"OnResponse"});
  RawClient client(gateway.port());
  client.send("GET /sse HTTP/1.1\r\nHost: a\r\n\r\n");
  std::string first = client.receive_until("data: first");
  EXPECT_TRUE(contains(first, "data: first")) << first;
  EXPECT_TRUE(contains(first, "x-set: new")) << first;
  gateway.worker().release();
  EXPECT_TRUE(contains(client.receive_until("data: second"), "data: second"));
}

TEST(Middleware, BodiesOverTheLimitAreRefusedOnRequests) {
  Worker worker;
  config::Settings settings = gateway_settings({worker.url()});
  settings.body_bytes_max = 1 << 20;
  Gateway gateway(settings);
  gateway.deploy("continue_all");
  EXPECT_EQ(fetch(gateway.port(), "POST", "/", {}, std::string((1 << 20) + 1, 'x')).status, 413);
  EXPECT_EQ(fetch(gateway.port(), "POST", "/", {}, std::string(1 << 20, 'x')).status, 200);
  RawClient client(gateway.port());
  client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n" +
              std::string(0x200000, 'y'));
  EXPECT_EQ(client.receive_response().status, 413);
}

TEST(Middleware, BodiesOverTheLimitPassOnResponses) {
  Worker worker;
  config::Settings settings = gateway_settings({worker.url()});
  settings.body_bytes_max = 1 << 20;
  Gateway gateway(settings);
  gateway.deploy("replace_response_body", {"OnResponse"});
  Received response = get(gateway.port(), "/big/3000000");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body.size(), 3000000U);
  EXPECT_TRUE(response.complete);
}

TEST(Middleware, TextThatIsNoUtf8IsRefusedWhenAModuleApplies) {
  Gateway gateway;
  EXPECT_EQ(get(gateway.port(), "/", {{"X-Text", "caf\xe9"}}).status, 200);
  gateway.deploy("continue_all");
  EXPECT_EQ(get(gateway.port(), "/", {{"X-Text", "caf\xe9"}}).status, 400);
  EXPECT_EQ(get(gateway.port(), "/", {{"X-Text", "caf\xc3\xa9"}}).status, 200);
}

TEST(Middleware, EveryPackageNameIsServed) {
  for (std::string_view guest : {"continue_all", "sgl_model_gateway_name", "smg_gateway_name"}) {
    Gateway gateway;
    gateway.deploy(guest);
    EXPECT_EQ(get(gateway.port(), "/status/200").status, 200) << guest;
    EXPECT_TRUE(contains(get(gateway.port(), "/wasm").body, "\"successful_executions\":1")) << guest;
  }
}

TEST(Middleware, EachCallHasAFreshInstance) {
  Gateway gateway;
  gateway.deploy("call_counter");
  EXPECT_TRUE(contains(get(gateway.port(), "/").body, "x-calls: 1\n"));
  EXPECT_TRUE(contains(get(gateway.port(), "/").body, "x-calls: 1\n"));
}

TEST(AuthExample, BehavesAsItsTestVectorsSay) {
  Gateway gateway;
  gateway.deploy("example_auth");
  struct Vector {
    std::string_view path;
    FieldList fields;
    int status;
  };
  constexpr std::string_view kKey = "secret-api-key-12345";
  std::string key(kKey);
  for (const Vector& vector :
       std::vector<Vector>{{"/v1/chat/completions", {}, 401},
                           {"/v1/chat/completions", {{"Authorization", "Bearer " + key}}, 200},
                           {"/v1/chat/completions", {{"Authorization", "ApiKey " + key}}, 200},
                           {"/v1/chat/completions", {{"Authorization", "bearer " + key}}, 401},
                           {"/v1/chat/completions", {{"Authorization", "bearer x"}, {"X-Api-Key", key}}, 200},
                           {"/v1/models", {{"x-api-key", key}}, 200},
                           {"/v1/models", {{"Authorization", "Bearer wrong"}, {"X-Api-Key", key}}, 401},
                           {"/v1/models", {{"Authorization", "Basic zzz"}, {"X-Api-Key", key}}, 200},
                           {"/api/x", {}, 401},
                           {"/generate", {}, 200}}) {
    EXPECT_EQ(get(gateway.port(), vector.path, vector.fields).status, vector.status) << vector.path;
  }
}

}  // namespace
}  // namespace sandgate::test
