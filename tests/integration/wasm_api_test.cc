// SPDX-License-Identifier: Apache-2.0
//
// The module API as its users meet it: deploy, list, remove, and everything that is refused.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <thread>

#include "tests/integration/gateway.h"
#include "tests/support/paths.h"
#include "tests/support/temporary_folder.h"

namespace sandgate::test {
namespace {

bool contains(const std::string& text, std::string_view needle) { return text.find(needle) != std::string::npos; }

TEST(WasmApi, DeploysListsAndRemoves) {
  Gateway gateway;
  Received posted = gateway.post_module("auth", guest_path("reject_403"));
  EXPECT_EQ(posted.status, 200);
  EXPECT_TRUE(contains(posted.body, "\"add_result\":{\"Success\":\"")) << posted.body;
  EXPECT_TRUE(contains(posted.body, "\"module_type\":\"Middleware\"")) << posted.body;
  Received listed = get(gateway.port(), "/wasm");
  for (std::string_view key :
       {"module_uuid", "module_meta", "\"name\":\"auth\"", "file_path", "sha256_hash", "size_bytes", "created_at",
        "last_accessed_at", "access_count", "\"attach_points\":[{\"Middleware\":\"OnRequest\"}]", "\"metrics\":{",
        "total_executions", "successful_executions", "failed_executions", "total_execution_time_ms",
        "max_execution_time_ms", "\"average_execution_time_ms\":0.0"}) {
    EXPECT_TRUE(contains(listed.body, key)) << key << " in " << listed.body;
  }
  EXPECT_EQ(get(gateway.port(), "/").status, 403);
  std::size_t at = listed.body.find("module_uuid\":\"");
  std::string uuid = listed.body.substr(at + 14, 36);
  Received removed = gateway.remove(uuid);
  EXPECT_EQ(removed.status, 200);
  EXPECT_EQ(removed.body, "Module removed successfully");
  EXPECT_EQ(get(gateway.port(), "/").status, 200);
  EXPECT_EQ(gateway.remove(uuid).status, 404);
  EXPECT_EQ(gateway.remove("not-a-uuid").status, 400);
}

TEST(WasmApi, RefusesWhatIsNoModule) {
  Gateway gateway;
  TemporaryFolder folder;
  std::string guest = read_guest("continue_all");
  struct Case {
    std::string name;
    std::string path;
    std::string_view says;
  };
  for (const Case& one :
       std::vector<Case>{{"random", folder.write("random.wasm", "\x7f\x45\x4c\x46 not wasm"), "component"},
                         {"truncated", folder.write("truncated.wasm", guest.substr(0, guest.size() / 2)), "component"},
                         {"text", folder.write("text.wasm", "(module)"), "component"},
                         {"no-exports", guest_path("missing_exports"), "on-request"},
                         {"import", guest_path("unknown_import"), "secret"},
                         {"missing", folder.path("none.wasm"), "not available"},
                         {"relative", "modules/a.wasm", "absolute"},
                         {"extension", folder.write("module.txt", guest), ".wasm"},
                         {"bad name!", guest_path("continue_all"), "name"},
                         {"", guest_path("continue_all"), "name"}}) {
    Received reply = gateway.post_module(one.name, one.path);
    EXPECT_EQ(reply.status, 400) << one.name << " " << reply.body;
    EXPECT_TRUE(contains(reply.body, "\"Error\":\"")) << reply.body;
    EXPECT_TRUE(contains(reply.body, one.says)) << one.name << ": " << reply.body;
  }
  EXPECT_TRUE(contains(get(gateway.port(), "/wasm").body, "\"modules\":[]"));
}

TEST(WasmApi, NamesAndContentsAreUnique) {
  Gateway gateway;
  gateway.deploy("continue_all");
  Received same_name = gateway.post_module("continue_all", guest_path("reject_403"));
  EXPECT_EQ(same_name.status, 400);
  Received same_bytes = gateway.post_module("other", guest_path("continue_all"));
  EXPECT_EQ(same_bytes.status, 400);
  EXPECT_TRUE(contains(same_bytes.body, "sha256")) << same_bytes.body;
}

TEST(WasmApi, AnAttachPointThatNoExportServesIsRefused) {
  Gateway gateway;
  Received reply = gateway.post_module("only", guest_path("only_response"), {"OnRequest"});
  EXPECT_EQ(reply.status, 400);
  EXPECT_TRUE(contains(reply.body, "on-request")) << reply.body;
}

TEST(WasmApi, ShapesAndMediaTypesAreChecked) {
  Gateway gateway;
  FieldList json = {{"Content-Type", "application/json"}};
  EXPECT_EQ(fetch(gateway.port(), "POST", "/wasm", {{"Content-Type", "text/plain"}}, "{}").status, 415);
  EXPECT_EQ(fetch(gateway.port(), "POST", "/wasm", {}, "{}").status, 415);
  EXPECT_EQ(fetch(gateway.port(), "POST", "/wasm", json, "{").status, 400);
  EXPECT_EQ(fetch(gateway.port(), "POST", "/wasm", json, "{\"modules\":1}").status, 422);
  Received type = fetch(
      gateway.port(), "POST", "/wasm", json,
      "{\"modules\":[{\"name\":\"a\",\"file_path\":\"/a.wasm\",\"module_type\":\"Other\",\"attach_points\":[]}]}");
  EXPECT_EQ(type.status, 422);
  EXPECT_TRUE(contains(type.body, "module_type")) << type.body;
  EXPECT_EQ(fetch(gateway.port(), "POST", "/wasm", json, "{\"modules\":[]}").status, 200);
  Received method = fetch(gateway.port(), "PATCH", "/wasm", json, "{}");
  EXPECT_EQ(method.status, 405);
  EXPECT_TRUE(method.field("allow"));
  EXPECT_EQ(fetch(gateway.port(), "POST", "/wasm", json, std::string((1 << 20) + 1, ' ')).status, 413);
}

TEST(WasmApi, AnswersPlainLoopbackClientsOnly) {
  Gateway gateway;
  for (const auto& field : FieldList{{"Origin", "http://evil.example"},
                                     {"Sec-Fetch-Site", "cross-site"},
                                     {"X-Forwarded-For", "10.0.0.1"},
                                     {"Forwarded", "for=10.0.0.1"},
                                     {"X-Real-IP", "10.0.0.1"},
                                     {"Via", "1.1 proxy"},
                                     {"Host", "evil.example"}}) {
    EXPECT_EQ(get(gateway.port(), "/wasm", {field}).status, 403) << field.first;
  }
  EXPECT_EQ(get(gateway.port(), "/wasm", {{"Host", "localhost:3000"}}).status, 200);
  EXPECT_EQ(get(gateway.port(), "/wasm").status, 200);
}

TEST(WasmApi, ATokenIsRequiredOfEveryone) {
  Worker worker;
  config::Settings settings = gateway_settings({worker.url()});
  settings.admin_token = "secret-token";
  Gateway gateway(settings);
  Received without = get(gateway.port(), "/wasm");
  EXPECT_EQ(without.status, 401);
  EXPECT_TRUE(without.field("www-authenticate"));
  EXPECT_EQ(get(gateway.port(), "/wasm", {{"Authorization", "Bearer secret-tokem"}}).status, 401);
  EXPECT_EQ(get(gateway.port(), "/wasm", {{"Authorization", "Bearer secret-token"}}).status, 200);
}

TEST(WasmApi, BeyondLoopbackItIsOffWithoutAToken) {
  Worker worker;
  config::Settings settings = gateway_settings({worker.url()});
  settings.host = "0.0.0.0";
  {
    Gateway gateway(settings);
    EXPECT_EQ(get(gateway.port(), "/wasm").status, 403);
  }
  settings.wasm_admin_loopback = true;
  Gateway gateway(settings);
  EXPECT_EQ(get(gateway.port(), "/wasm").status, 200);
}

TEST(WasmApi, IsOffWithoutTheFlag) {
  Worker worker;
  config::Settings settings = gateway_settings({worker.url()});
  settings.enable_wasm = false;
  Gateway gateway(settings);
  Received response = get(gateway.port(), "/wasm");
  EXPECT_EQ(response.status, 404);
  EXPECT_TRUE(contains(response.body, "--enable-wasm")) << response.body;
  EXPECT_EQ(get(gateway.port(), "/status/200").status, 200);
}

TEST(WasmApi, FilesLieInTheModuleDirectory) {
  Worker worker;
  TemporaryFolder folder;
  TemporaryFolder elsewhere;
  config::Settings settings = gateway_settings({worker.url()});
  settings.module_directory = folder.path();
  Gateway gateway(settings);
  folder.write("inside.wasm", read_guest("continue_all"));
  elsewhere.write("outside.wasm", read_guest("reject_403"));
  folder.link("link.wasm", elsewhere.path("outside.wasm"));
  EXPECT_EQ(gateway.post_module("inside", folder.path("inside.wasm")).status, 200);
  std::string outside = gateway.post_module("a", elsewhere.path("outside.wasm")).body;
  std::string link = gateway.post_module("a", folder.path("link.wasm")).body;
  std::string none = gateway.post_module("a", elsewhere.path("none.wasm")).body;
  auto message = [](const std::string& body) { return body.substr(body.find("add_result")); };
  EXPECT_EQ(message(outside), message(none)) << "tells whether a file exists";
  EXPECT_EQ(message(link), message(none));
}

TEST(WasmApi, TheFileIsNotReadAgain) {
  Gateway gateway;
  TemporaryFolder folder;
  std::string path = folder.write("gone.wasm", read_guest("reject_403"));
  EXPECT_EQ(gateway.post_module("gone", path).status, 200);
  std::remove(path.c_str());
  EXPECT_EQ(get(gateway.port(), "/").status, 403);
}

TEST(WasmApi, DeployingAndRemovingUnderLoadLosesNoRequest) {
  Worker worker;
  config::Settings settings = gateway_settings({worker.url()});
  settings.threads = 2;
  Gateway gateway(settings);
  std::atomic<bool> ended{false};
  std::atomic<int> answered{0};
  std::atomic<int> failed{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 3; ++i) {
    clients.emplace_back([&] {
      RawClient client(gateway.port());
      while (!ended) {
        client.send("GET /status/200 HTTP/1.1\r\nHost: a\r\n\r\n");
        (client.receive_response().status == 200 ? answered : failed)++;
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    std::string uuid = gateway.deploy("set_add_remove", {"OnRequest", "OnResponse"});
    EXPECT_EQ(gateway.remove(uuid).status, 200);
  }
  ended = true;
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(failed, 0);
  EXPECT_GT(answered, 20);
}

}  // namespace
}  // namespace sandgate::test
