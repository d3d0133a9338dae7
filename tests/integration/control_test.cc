// SPDX-License-Identifier: Apache-2.0
//
// The operators' API of a whole program, and the commands that speak it.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <string>

#include "tests/integration/process.h"
#include "tests/integration/worker.h"
#include "tests/support/http_client.h"
#include "tests/support/temporary_folder.h"

namespace sandgate::test {
namespace {

bool contains(const std::string& text, std::string_view needle) { return text.find(needle) != std::string::npos; }

class ControlTest : public ::testing::Test {
 protected:
  ControlTest()
      : file_(write("hi")), gateway_({"serve", file_, "--threads=1"}), port_(gateway_.wait_until_it_listens()) {}

  std::string write(std::string_view body) {
    return folder_.write("sandgate.toml", fmt::format(R"([server]
listen = "127.0.0.1:0"
ephemeral = true
admin = {{ loopback = true }}
[[upstream]]
name = "workers"
servers = ["{}", "http://127.0.0.1:9"]
[[route]]
path = "/hello"
respond = {{ body = "{}" }}
[[route]]
path = "/status/*rest"
)",
                                                      worker_.url(), body));
  }
  boost::json::value ask(std::string_view method, std::string_view path, int status, std::string_view body = {}) {
    Received reply =
        fetch(port_, method, "/admin/v1" + std::string(path), {{"Content-Type", "application/json"}}, body);
    EXPECT_EQ(reply.status, status) << path << " " << reply.body;
    boost::system::error_code failure;
    return boost::json::parse(reply.body, failure);
  }
  // Runs the program as somebody at a terminal does. What it printed; fails the test unless it exits with `code`.
  std::string command(std::vector<std::string> words, int code = 0) {
    words.emplace_back("--server=127.0.0.1:" + std::to_string(port_));
    Process process(std::move(words));
    EXPECT_EQ(process.wait(), code) << process.text();
    return process.text();
  }

  TemporaryFolder folder_;
  Worker worker_;
  std::string file_;
  Process gateway_;
  std::uint16_t port_;
};

TEST_F(ControlTest, ShowsAndReloadsTheConfiguration) {
  boost::json::value config = ask("GET", "/config", 200);
  EXPECT_EQ(config.at("file"), boost::json::value(file_));
  EXPECT_EQ(config.at("generation"), 1);
  EXPECT_EQ(config.at("routes").as_array().size(), 2U);
  write("changed");
  boost::json::value reloaded = ask("POST", "/config/reload", 200);
  EXPECT_EQ(reloaded.at("reloaded"), true);
  EXPECT_EQ(reloaded.at("generation"), 2);
  EXPECT_EQ(get(port_, "/hello").body, "changed");
}

TEST_F(ControlTest, ABadFileChangesNothingAndSaysWhy) {
  folder_.write("sandgate.toml", "[server]\nlistn = 1\n");
  boost::json::value refused = ask("POST", "/config/reload", 422);
  EXPECT_EQ(refused.at("reloaded"), false);
  ASSERT_GE(refused.at("mistakes").as_array().size(), 1U);
  EXPECT_TRUE(contains(refused.at("mistakes").at(0).as_string().c_str(), "unknown key \"listn\"") ||
              contains(refused.at("mistakes").at(1).as_string().c_str(), "unknown key \"listn\""));
  EXPECT_EQ(get(port_, "/hello").body, "hi");
}

TEST_F(ControlTest, TellsWhatNeedsARestart) {
  write("hi");
  folder_.write(
      "sandgate.toml",
      "[server]\nlisten = \"127.0.0.1:0\"\nephemeral = true\nadmin = { loopback = true }\nmax_connections = 7\n"
      "[[route]]\npath = \"/hello\"\nrespond = { body = \"new\" }\n");
  EXPECT_EQ(ask("POST", "/config/reload", 200).at("needs_restart"), "max_connections");
  EXPECT_EQ(get(port_, "/hello").body, "new");
}

TEST_F(ControlTest, DrainsAndWeighsServers) {
  for (int i = 0; i < 4; ++i) EXPECT_EQ(get(port_, "/status/200").status, 200);
  boost::json::value list = ask("GET", "/upstreams", 200);
  EXPECT_EQ(list.at("upstreams").at(0).at("name"), "workers");
  EXPECT_EQ(list.at("upstreams").at(0).at("servers").as_array().size(), 2U);
  std::string server = "/upstreams/workers/servers/127.0.0.1:" + std::to_string(worker_.port());
  boost::json::value changed = ask("PATCH", server, 200, R"({"draining":true,"weight":3})");
  EXPECT_EQ(changed.at("servers").at(0).at("draining"), true);
  EXPECT_EQ(changed.at("servers").at(0).at("weight"), 3);
  EXPECT_EQ(get(port_, "/status/200").status, 502) << "only the dead server is left";
  ask("PATCH", server, 200, R"({"draining":false})");
  EXPECT_EQ(get(port_, "/status/200").status, 200);
  ask("PATCH", server, 400, R"({"weight":9999})");
  ask("PATCH", server, 422, R"({"wight":1})");
  ask("PATCH", server, 422, "{}");
  ask("PATCH", server, 400, "no json");
  ask("PATCH", "/upstreams/workers/servers/127.0.0.1:1", 404, R"({"weight":1})");
  ask("PATCH", "/upstreams/none/servers/127.0.0.1:1", 404, R"({"weight":1})");
  ask("GET", "/upstreams/none", 404);
}

TEST_F(ControlTest, MetricsTellOfEachServer) {
  EXPECT_EQ(get(port_, "/status/200").status, 200);
  std::string text = get(port_, "/metrics").body;
  std::string server = "{upstream=\"workers\",server=\"127.0.0.1:" + std::to_string(worker_.port()) + "\"}";
  for (const std::string& line :
       {"sandgate_upstream_server_up" + server + " 1", "sandgate_upstream_server_requests_total" + server + " 1",
        "sandgate_upstream_server_failures_total" + server + " 0",
        std::string("sandgate_upstream_waiting_requests{upstream=\"workers\"} 0")})
    EXPECT_TRUE(contains(text, "\n" + line + "\n")) << line << "\n" << text;
}

TEST_F(ControlTest, RoutesGoOnCountingThroughAReload) {
  EXPECT_EQ(get(port_, "/hello").status, 200);
  EXPECT_EQ(get(port_, "/status/404").status, 404);
  EXPECT_EQ(get(port_, "/nowhere").status, 404);
  write("changed");
  ask("POST", "/config/reload", 200);
  EXPECT_EQ(get(port_, "/hello").body, "changed");
  std::string text = get(port_, "/metrics").body;
  for (const char* line :
       {R"(requests_total{route="/hello",code="2xx"} 2)", R"(requests_total{route="/status/*rest",code="4xx"} 1)",
        R"(duration_seconds_bucket{route="/hello",le="+Inf"} 2)", R"(duration_seconds_count{route="/hello"} 2)"})
    EXPECT_TRUE(contains(text, fmt::format("\nsandgate_route_{}\n", line))) << line << "\n" << text;
}

TEST_F(ControlTest, ChangesTheLogLevel) {
  EXPECT_EQ(ask("GET", "/log-level", 200).at("level"), "info");
  EXPECT_EQ(ask("PUT", "/log-level", 200, R"({"level":"error"})").at("level"), "error");
  EXPECT_EQ(ask("GET", "/log-level", 200).at("level"), "error");
  ask("PUT", "/log-level", 422, R"({"level":"loud"})");
}

TEST_F(ControlTest, AnswersTheRestAsAnApiDoes) {
  ask("GET", "/nothing", 404);
  ask("DELETE", "/config", 405);
  ask("GET", "/config/reload", 405);
  ask("GET", "/modules", 404);
  EXPECT_EQ(fetch(port_, "GET", "/admin/v1/config", {{"Origin", "https://evil.example"}}).status, 403)
      << "a web page is no operator";
}

TEST_F(ControlTest, HasCommands) {
  EXPECT_TRUE(contains(command({"config", "show"}), "\"routes\":[")) << gateway_.text();
  write("two");
  EXPECT_TRUE(contains(command({"config", "reload"}), "generation 2 serves"));
  EXPECT_TRUE(contains(command({"upstreams", "list"}), "127.0.0.1:9"));
  std::string server = "127.0.0.1:" + std::to_string(worker_.port());
  EXPECT_TRUE(contains(command({"upstreams", "drain", "workers", server}), "draining"));
  EXPECT_EQ(ask("GET", "/upstreams/workers", 200).at("servers").at(0).at("draining"), true);
  command({"upstreams", "undrain", "workers", server});
  command({"upstreams", "weight", "workers", server, "5"});
  EXPECT_EQ(ask("GET", "/upstreams/workers", 200).at("servers").at(0).at("weight"), 5);
  EXPECT_TRUE(contains(command({"upstreams", "drain", "nobody", server}, 1), "there is no upstream nobody"));
  folder_.write("sandgate.toml", "[[route]]\npath = \"x\"\n");
  EXPECT_TRUE(contains(command({"config", "reload"}, 1), "sandgate.toml:2: route.path"));
}

}  // namespace
}  // namespace sandgate::test
