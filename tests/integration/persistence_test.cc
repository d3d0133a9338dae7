// SPDX-License-Identifier: Apache-2.0
//
// What survives a restart, a kill and damage: everything that was told to be deployed, in order, or word of what is
// missing.
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/gateway.h"
#include "tests/integration/process.h"
#include "tests/support/paths.h"
#include "tests/support/temporary_folder.h"

namespace sandgate::test {
namespace {

bool contains(const std::string& text, std::string_view needle) { return text.find(needle) != std::string::npos; }

// The list without what counts calls.
std::string modules_of(std::uint16_t port) {
  std::string body = get(port, "/wasm").body;
  return body.substr(0, body.find("\"metrics\":"));
}

std::string blob_of(const TemporaryFolder& folder) {
  for (const auto& entry : std::filesystem::directory_iterator(folder.path("data/blobs"))) return entry.path().string();
  return {};
}

class Persistence : public testing::Test {
 protected:
  config::Settings settings() {
    config::Settings settings = gateway_settings({worker_.url()});
    settings.data_directory = folder_.path("data");
    settings.cache_directory = folder_.path("cache");
    return settings;
  }

  Worker worker_;
  TemporaryFolder folder_;
};

TEST_F(Persistence, ARestartServesTheSameModulesInTheSameOrder) {
  std::string before;
  {
    Gateway gateway(settings());
    gateway.deploy("append_b", {"OnRequest", "OnResponse"});
    ASSERT_EQ(gateway.put_module("open", "trap_always", "attach=OnRequest&on_failure=open&body=false").status, 201);
    std::string removed = gateway.deploy("continue_all");
    gateway.deploy("append_a", {"OnRequest"});
    EXPECT_EQ(gateway.remove(removed).status, 200);
    before = modules_of(gateway.port());
  }
  Gateway again(settings());
  EXPECT_EQ(modules_of(again.port()), before);
  EXPECT_EQ(get(again.port(), "/status/200").status, 200) << "the failure policy is kept as well";
  EXPECT_TRUE(contains(get(again.port(), "/wasm").body, "\"failed_executions\":1"));
}

TEST_F(Persistence, CodeThatIsDamagedIsCompiledAgain) {
  { Gateway(settings()).deploy("reject_403"); }
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path("cache"))) {
    if (entry.path().extension() != ".code") continue;
    std::filesystem::permissions(entry.path(), std::filesystem::perms::owner_all);
    std::filesystem::resize_file(entry.path(), 100);
    ++files;
  }
  EXPECT_EQ(files, 1);
  Gateway again(settings());
  EXPECT_EQ(get(again.port(), "/").status, 403);
}

TEST_F(Persistence, AModuleWhoseFileIsLostFailsByItsPolicyAndIsNamed) {
  struct Case {
    std::string_view query;
    int status;
  };
  for (const Case& one : {Case{"attach=OnRequest", 503}, Case{"attach=OnRequest&on_failure=open", 200}}) {
    {
      Gateway gateway(settings());
      ASSERT_LE(gateway.put_module("auth", "reject_403", one.query).status, 201);
      EXPECT_EQ(get(gateway.port(), "/status/200").status, 403);
    }
    std::filesystem::remove(blob_of(folder_));
    Gateway again(settings());
    EXPECT_EQ(get(again.port(), "/status/200").status, one.status) << one.query;
    std::string listed = get(again.port(), "/wasm/auth").body;
    EXPECT_TRUE(contains(listed, "\"unavailable\":\"its file blobs/")) << listed;
    EXPECT_TRUE(contains(listed, "is missing")) << listed;
    // The same bytes heal it.
    EXPECT_EQ(again.put_module("auth", "reject_403", one.query).status, 200);
    EXPECT_FALSE(contains(get(again.port(), "/wasm/auth").body, "unavailable"));
    EXPECT_EQ(get(again.port(), "/status/200").status, 403);
  }
}

TEST_F(Persistence, ReplacingUnderLoadFailsNoRequestAndLetsNonePass) {
  config::Settings two = settings();
  two.threads = 2;
  Gateway gateway(two);
  ASSERT_EQ(gateway.put_module("auth", "reject_403").status, 201);
  std::atomic<bool> ended{false};
  std::atomic<int> refused{0};
  std::atomic<int> other{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 2; ++i) {
    clients.emplace_back([&] {
      RawClient client(gateway.port());
      while (!ended) {
        client.send("GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n");
        // Both modules reject this path, each in its way.
        int status = client.receive_response().status;
        (status == 403 || status == 401 ? refused : other)++;
      }
    });
  }
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(gateway.put_module("auth", i % 2 == 0 ? "example_auth" : "reject_403").status, 200);
  ended = true;
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(other, 0);
  EXPECT_GT(refused, 20);
}

TEST_F(Persistence, ModulesOfTheCommandLineComeAfterThoseThatWereThere) {
  config::Settings with = settings();
  { Gateway(with).deploy("append_a"); }
  with.wasm_modules = {"first=" + guest_path("reject_403") + "@OnRequest",
                       "second=" + guest_path("both_hooks") + "@OnRequest,OnResponse"};
  std::string before;
  {
    Gateway gateway(with);
    before = modules_of(gateway.port());
    EXPECT_LT(before.find("append_a"), before.find("\"first\""));
    EXPECT_LT(before.find("\"first\""), before.find("\"second\""));
    EXPECT_EQ(get(gateway.port(), "/").status, 403);
  }
  EXPECT_EQ(modules_of(Gateway(with).port()), before) << "the same content and points: left as they are";
  with.wasm_modules[0] = "first=" + guest_path("continue_all") + "@OnRequest";
  Gateway replaced(with);
  EXPECT_EQ(get(replaced.port(), "/").status, 200);
}

TEST_F(Persistence, AModuleThatCannotBeDeployedEndsTheStart) {
  struct Case {
    std::string argument;
    std::string_view says;
  };
  for (const Case& one :
       {Case{"auth", "NAME=FILE@OnRequest"}, Case{"auth=" + guest_path("reject_403"), "NAME=FILE@OnRequest"},
        Case{"auth=" + guest_path("reject_403") + "@Request", "NAME=FILE@OnRequest"},
        Case{"auth=" + guest_path("none") + "@OnRequest", "not available"},
        Case{"bad name=" + guest_path("reject_403") + "@OnRequest", "Module name"},
        Case{"auth=" + guest_path("only_response") + "@OnRequest", "on-request"}}) {
    config::Settings with = settings();
    with.wasm_modules = {one.argument};
    Result<std::unique_ptr<server::Server>> server = server::Server::start(with);
    ASSERT_FALSE(server) << one.argument;
    EXPECT_EQ(server.error().kind, ErrorKind::kInvalid);
    EXPECT_TRUE(contains(server.error().detail, "--wasm-module " + one.argument)) << server.error().detail;
    EXPECT_TRUE(contains(server.error().detail, one.says)) << server.error().detail;
  }
}

TEST_F(Persistence, AHundredModulesAreServedAgain) {
  constexpr int kModules = 100;
  std::string before;
  {
    Gateway gateway(settings());
    for (int i = 0; i < kModules; ++i)
      ASSERT_EQ(gateway.put_module("module-" + std::to_string(i), "continue_all").status, 201);
    before = modules_of(gateway.port());
  }
  auto began = std::chrono::steady_clock::now();
  Gateway again(settings());
  auto took = std::chrono::steady_clock::now() - began;
  RecordProperty("milliseconds", static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(took).count()));
  EXPECT_EQ(modules_of(again.port()), before);
}

// The names of the list, in order.
std::vector<std::string> names_of(std::uint16_t port) {
  std::vector<std::string> names;
  std::string body = get(port, "/wasm").body;
  constexpr std::string_view kName = "\"name\":\"";
  for (std::size_t at = body.find(kName); at != std::string::npos; at = body.find(kName, at + 1))
    names.push_back(body.substr(at + kName.size(), body.find('"', at + kName.size()) - at - kName.size()));
  return names;
}

// Deploys or removes until the server is gone. `told` is what it said is there, `asked` what it was asked for last.
void change_until_killed(std::uint16_t port, std::vector<std::string>& told, std::vector<std::string>& asked,
                         unsigned& next) {
  for (;; ++next) {
    std::string name = "module-" + std::to_string(next % 5);
    asked = told;
    bool there = std::erase(asked, name) > 0;
    if (!there) asked.push_back(name);
    Received reply = there ? fetch(port, "DELETE", "/wasm/" + name)
                           : fetch(port, "PUT", "/wasm/" + name + "?attach=OnRequest", {}, read_guest("continue_all"));
    if (reply.status != (there ? 200 : 201) || !reply.complete) return;
    told = asked;
  }
}

// The archive alone is killed a hundred times in src/modules/module_archive_crash_test.cc.
TEST_F(Persistence, AKilledServerHasTheModulesBeforeOrAfter) {
  constexpr int kRounds = 10;
  std::mt19937 random(7);
  std::vector<std::string> told;
  std::vector<std::string> asked;
  unsigned next = 0;
  for (int round = 0; round <= kRounds; ++round) {
    Process server({"serve", "--enable-wasm", "--worker-urls", worker_.url(), "--port", "0", "--threads", "1",
                    "--data-dir", folder_.path("data"), "--cache-dir", folder_.path("cache"), "--access-log", "off"});
    std::uint16_t port = server.wait_until_it_listens();
    ASSERT_NE(port, 0) << server.text();
    std::vector<std::string> found = names_of(port);
    ASSERT_TRUE(found == told || found == asked) << "round " << round << " " << get(port, "/wasm").body;
    EXPECT_FALSE(contains(get(port, "/wasm").body, "unavailable"));
    if (found == asked && asked != told) ++next;
    told = asked = found;
    std::thread killer([&server, delay = std::chrono::milliseconds(random() % 300)] {
      std::this_thread::sleep_for(delay);
      server.signal(SIGKILL);
    });
    change_until_killed(port, told, asked, next);
    killer.join();
    EXPECT_EQ(server.wait(), 1000 + SIGKILL);
  }
  EXPECT_GT(next, 10U);
}

}  // namespace
}  // namespace sandgate::test
