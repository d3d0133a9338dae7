// SPDX-License-Identifier: Apache-2.0
//
// Servers that run from a configuration file: routes, modules of the file beside those of the API, and reloads.
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <string>
#include <thread>

#include "config/manifest.h"
#include "tests/integration/gateway.h"
#include "tests/integration/process.h"
#include "tests/integration/worker.h"
#include "tests/support/http_client.h"
#include "tests/support/paths.h"
#include "tests/support/temporary_folder.h"

namespace sandgate::test {
namespace {

bool contains(const std::string& text, std::string_view needle) { return text.find(needle) != std::string::npos; }

// A server from the text of a file. WORKER in the text is the URL of a worker of its own.
class ConfiguredGateway {
 public:
  explicit ConfiguredGateway(std::string text) {
    config::Loaded loaded = parse(std::move(text));
    config::Settings settings = gateway_settings({});
    settings.trusted_proxies = loaded.settings.trusted_proxies;
    Result<std::unique_ptr<server::Server>> server = server::Server::start(settings, loaded.manifest);
    EXPECT_TRUE(server) << (server ? "" : server.error().detail);
    if (server) server_ = std::move(*server);
  }
  std::uint16_t port() const { return server_->address().port(); }
  // The mistakes; empty when the text serves now.
  std::string reload(std::string text) {
    config::Loaded loaded = parse(std::move(text));
    config::Diagnostics wrong;
    if (loaded.manifest == nullptr || server_->serve_manifest(loaded.manifest, wrong)) return {};
    std::string all;
    for (const std::string& line : wrong.lines("file")) all += line + "\n";
    return all;
  }
  Worker& worker() { return worker_; }

 private:
  config::Loaded parse(std::string text) {
    constexpr std::string_view kWorker = "WORKER";
    for (std::size_t at; (at = text.find(kWorker)) != std::string::npos;)
      text.replace(at, kWorker.size(), worker_.url());
    config::Loaded loaded = config::parse_manifest(text, "/");
    for (const std::string& line : loaded.diagnostics.lines("file")) ADD_FAILURE() << line;
    return loaded;
  }

  Worker worker_;
  std::unique_ptr<server::Server> server_;
};

const std::string kUpstream = "[[upstream]]\nname = \"workers\"\nservers = [\"WORKER\"]\n";

std::string module(std::string_view name, std::string_view guest, std::string_view more = "") {
  return fmt::format("[[module]]\nname = \"{}\"\nfile = \"{}\"\n{}\n", name, guest_path(guest), more);
}

TEST(Configuration, RoutesGoWhereTheFileSays) {
  ConfiguredGateway gateway(kUpstream + R"(
[[route]]
path = "/hello"
methods = ["GET"]
respond = { body = "hi", fields = { x-from = "file" } }
[[route]]
path = "/api/*rest"
upstream_path = "rest"
)");
  Received hello = get(gateway.port(), "/hello");
  EXPECT_EQ(hello.body, "hi");
  EXPECT_EQ(hello.field("x-from"), "file");
  EXPECT_TRUE(contains(get(gateway.port(), "/api/v1/x?q=1").body, "GET /v1/x?q=1\n"));
  EXPECT_EQ(get(gateway.port(), "/other").status, 404);
  Received wrong_method = fetch(gateway.port(), "POST", "/hello");
  EXPECT_EQ(wrong_method.status, 405);
  EXPECT_EQ(wrong_method.field("allow"), "GET, HEAD");
  EXPECT_EQ(get(gateway.port(), "/healthz").status, 200);
}

TEST(Configuration, EachRouteHasItsOwnModules) {
  ConfiguredGateway gateway(kUpstream + module("a", "append_a") + module("b", "append_b") + R"(
[[route]]
path = "/both"
middleware = ["a", "b"]
[[route]]
path = "/turned"
middleware = ["b", "a"]
[[route]]
path = "/none"
)");
  EXPECT_TRUE(contains(get(gateway.port(), "/both").body, "x-order: ab\n")) << get(gateway.port(), "/both").body;
  EXPECT_TRUE(contains(get(gateway.port(), "/turned").body, "x-order: ba\n"));
  EXPECT_FALSE(contains(get(gateway.port(), "/none").body, "x-order"));
}

TEST(Configuration, AUseMayHaveSettingsOfItsOwn) {
  ConfiguredGateway gateway(
      kUpstream +
      module("limit", "example_ratelimit", "config = { limit = 1 }\nallow = { key_value = [\"ratelimit\"] }") +
      R"(
[[route]]
path = "/one"
middleware = ["limit"]
[[route]]
path = "/three"
middleware = [{ module = "limit", config = { limit = 3 } }]
)");
  auto passed = [&gateway](std::string_view path, std::string_view key) {
    int count = 0;
    for (int i = 0; i < 5; ++i)
      count += get(gateway.port(), path, {{"X-Api-Key", std::string(key)}}).status == 200 ? 1 : 0;
    return count;
  };
  EXPECT_EQ(passed("/one", "k1"), 1);
  EXPECT_EQ(passed("/three", "k3"), 3);
}

TEST(Configuration, ModulesOfTheFileAndOfTheApiLiveTogether) {
  ConfiguredGateway gateway(kUpstream + module("a", "append_a") + R"(
[[route]]
path = "/with"
middleware = ["a"]
[[route]]
path = "/without"
middleware = ["a"]
deployed_modules = false
)");
  std::string wasm = read_guest("append_b");
  EXPECT_EQ(fetch(gateway.port(), "PUT", "/wasm/b?attach=OnRequest", {}, wasm).status, 201);
  EXPECT_TRUE(contains(get(gateway.port(), "/with").body, "x-order: ba\n")) << "the API's run first";
  EXPECT_TRUE(contains(get(gateway.port(), "/without").body, "x-order: a\n"));
  Received list = get(gateway.port(), "/wasm");
  EXPECT_TRUE(contains(list.body, "\"owner\":\"file\"")) << list.body;
  EXPECT_TRUE(contains(list.body, "\"owner\":\"api\"")) << list.body;

  Received removed = fetch(gateway.port(), "DELETE", "/wasm/a");
  EXPECT_EQ(removed.status, 403) << removed.body;
  EXPECT_TRUE(contains(removed.body, "belongs to the configuration file")) << removed.body;
  EXPECT_EQ(fetch(gateway.port(), "PUT", "/wasm/a?attach=OnRequest", {}, wasm).status, 403);
  EXPECT_TRUE(contains(get(gateway.port(), "/without").body, "x-order: a\n"));
}

TEST(Configuration, LimitsOfAModuleHold) {
  ConfiguredGateway gateway(kUpstream + module("loop", "loop_forever", "limits = { time = \"20ms\" }") +
                            "[[route]]\npath = \"/\"\nmiddleware = [\"loop\"]\n");
  auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(get(gateway.port(), "/").status, 503);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::milliseconds(700)) << "the server's is a second";
}

TEST(Configuration, AReloadChangesEverythingAtOnce) {
  ConfiguredGateway gateway(kUpstream + module("a", "append_a") + "[[route]]\npath = \"/\"\nmiddleware = [\"a\"]\n");
  EXPECT_TRUE(contains(get(gateway.port(), "/").body, "x-order: a\n"));
  RawClient busy(gateway.port());
  EXPECT_EQ(gateway.reload(kUpstream + "[[route]]\npath = \"/wait\"\n"), "");
  busy.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  for (int i = 0; i < 2000 && gateway.worker().requests() < 2; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(get(gateway.port(), "/").status, 404);
  EXPECT_EQ(gateway.reload("[[route]]\npath = \"/new\"\nrespond = { status = 204 }\n"), "");
  EXPECT_EQ(get(gateway.port(), "/new").status, 204);
  EXPECT_EQ(get(gateway.port(), "/wait").status, 404);
  gateway.worker().release();
  EXPECT_EQ(busy.receive_response().body, "waited") << "it finishes on the configuration that it began with";
}

TEST(Configuration, ABadReloadChangesNothing) {
  ConfiguredGateway gateway(kUpstream + module("a", "append_a") + "[[route]]\npath = \"/\"\nmiddleware = [\"a\"]\n");
  std::string wrong = gateway.reload(kUpstream + module("a", "append_a") + module("bad", "unknown_import") +
                                     "[[route]]\npath = \"/\"\nrespond = {}\n");
  EXPECT_TRUE(contains(wrong, "module bad: ")) << wrong;
  EXPECT_TRUE(contains(wrong, "is not granted")) << wrong;
  EXPECT_TRUE(contains(get(gateway.port(), "/").body, "x-order: a\n"));
}

TEST(Configuration, AReloadKeepsTheCountsOfItsModules) {
  const std::string text = kUpstream + module("a", "append_a") + "[[route]]\npath = \"/\"\nmiddleware = [\"a\"]\n";
  ConfiguredGateway gateway(text);
  get(gateway.port(), "/");
  EXPECT_EQ(gateway.reload(text + "[[route]]\npath = \"/more\"\n"), "");
  get(gateway.port(), "/more");
  get(gateway.port(), "/");
  EXPECT_TRUE(contains(get(gateway.port(), "/wasm/a").body, "\"access_count\":4"))
      << get(gateway.port(), "/wasm/a").body;
}

TEST(Configuration, ReloadsUnderLoadFailNoRequest) {
  const std::string even = kUpstream + module("a", "append_a") + "[[route]]\npath = \"/\"\nmiddleware = [\"a\"]\n";
  const std::string odd = kUpstream + module("b", "append_b") + "[[route]]\npath = \"/\"\nmiddleware = [\"b\"]\n";
  ConfiguredGateway gateway(even);
  std::atomic<bool> stop{false};
  std::atomic<int> failed{0};
  std::atomic<int> served{0};
  std::thread load([&] {
    while (!stop.load()) {
      Received response = get(gateway.port(), "/");
      bool one = contains(response.body, "x-order: a\n") != contains(response.body, "x-order: b\n");
      if (response.status != 200 || !one) ++failed;
      ++served;
    }
  });
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(gateway.reload(i % 2 == 0 ? odd : even), "");
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  stop.store(true);
  load.join();
  EXPECT_EQ(failed.load(), 0);
  EXPECT_GT(served.load(), 10);
}

// The program.

class ConfiguredProgram : public ::testing::Test {
 protected:
  std::string write(const std::string& text) {
    return folder_.write("sandgate.toml", "[server]\nlisten = \"127.0.0.1:0\"\nephemeral = true\n" + text);
  }
  // Asks until the body is `wanted`, for ten seconds at most.
  static bool becomes(std::uint16_t port, std::string_view path, std::string_view wanted) {
    for (int i = 0; i < 1000; ++i) {
      if (get(port, path).body == wanted) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }
  TemporaryFolder folder_;
};

TEST_F(ConfiguredProgram, ServesAFileAndLoadsItAgainOnSighup) {
  std::string file = write("[[route]]\npath = \"/\"\nrespond = { body = \"one\" }\n");
  Process gateway({"serve", file, "--threads=1"});
  std::uint16_t port = gateway.wait_until_it_listens();
  ASSERT_NE(port, 0) << gateway.text();
  EXPECT_EQ(get(port, "/").body, "one");
  write("[[route]]\npath = \"/\"\nrespond = { body = \"two\" }\n");
  gateway.signal(SIGHUP);
  EXPECT_TRUE(becomes(port, "/", "two"));
  write("[[route]]\npath = \"/\"\nrespnd = { body = \"three\" }\n");
  gateway.signal(SIGHUP);
  write(
      "[[route]]\npath = \"/four\"\nrespond = { body = \"four\" }\n[[route]]\npath = \"/\"\nrespond = { body = \"two\" "
      "}\n");
  gateway.signal(SIGHUP);
  EXPECT_TRUE(becomes(port, "/four", "four"));
  EXPECT_EQ(get(port, "/").body, "two");
  gateway.signal(SIGTERM);
  EXPECT_EQ(gateway.wait(), 0) << gateway.text();
}

TEST_F(ConfiguredProgram, SaysEveryMistakeBeforeItStarts) {
  std::string file = write("[[route]]\npath = \"/\"\nrespnd = {}\n[[route]]\npth = \"/\"\n");
  Process gateway({"serve", file});
  EXPECT_EQ(gateway.wait(), 2);
  EXPECT_TRUE(contains(gateway.text(), file + ":6: unknown key \"respnd\" in route; did you mean \"respond\"?"))
      << gateway.text();
  EXPECT_TRUE(contains(gateway.text(), file + ":8: unknown key \"pth\" in route; did you mean \"path\"?"))
      << gateway.text();
}

TEST_F(ConfiguredProgram, FlagsOverrideTheFile) {
  Worker worker;
  std::string file = write("[[upstream]]\nname = \"w\"\nservers = \"http://127.0.0.1:9\"\n");
  Process gateway({"serve", file, "--worker-urls", worker.url(), "--host", "127.0.0.1", "--port", "0"});
  std::uint16_t port = gateway.wait_until_it_listens();
  ASSERT_NE(port, 0) << gateway.text();
  EXPECT_EQ(get(port, "/status/201").status, 201);
}

TEST_F(ConfiguredProgram, CheckTellsWhatIsWrong) {
  std::string good = write("[[route]]\npath = \"/\"\nrespond = {}\n");
  Process fine({"check", good});
  EXPECT_EQ(fine.wait(), 0) << fine.text();
  EXPECT_TRUE(contains(fine.text(), "fine; 1 route, 0 upstreams, 0 modules")) << fine.text();
  std::string bad = write(module("m", "unknown_import") + "[[route]]\npath = \"/\"\nrespond = {}\n");
  Process wrong({"check", bad});
  EXPECT_EQ(wrong.wait(), 1);
  EXPECT_TRUE(contains(wrong.text(), bad + ":4: module m: ")) << wrong.text();
  Process json({"check", "--json", bad});
  EXPECT_EQ(json.wait(), 1);
  EXPECT_TRUE(contains(json.text(), "{\"kind\":\"configuration\",\"mistakes\":[{\"line\":4,")) << json.text();
}

TEST_F(ConfiguredProgram, ExplainTellsTheWayOfARequest) {
  std::string file = write(module("a", "append_a", "limits = { time = \"5ms\" }") + R"(
[[route]]
path = "/v1/:id"
methods = ["GET"]
middleware = ["a"]
respond = {}
[[route]]
path = "/*rest"
respond = { status = 404 }
)");
  Process explain({"explain", "--config", file, "GET", "https://api.example.com/v1/7", "-H", "x-a: b"});
  EXPECT_EQ(explain.wait(), 0) << explain.text();
  for (std::string_view line :
       {"GET api.example.com/v1/7", "serves it: the most specific route that fits", "1. module a (line 12)",
        "granted: nothing", "5ms time", "on failure: closed for requests, open for responses", "then the response 200",
        "fits too, but is less specific"})
    EXPECT_TRUE(contains(explain.text(), line)) << line << "\n" << explain.text();
  Process none({"explain", "--config", file, "GET"});
  EXPECT_EQ(none.wait(), 2);
}

}  // namespace
}  // namespace sandgate::test
