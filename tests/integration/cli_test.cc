// SPDX-License-Identifier: Apache-2.0
//
// The commands for people who write and deploy modules, run as they run them.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <filesystem>

#include "platform/descriptor.h"
#include "sandbox/child_process.h"
#include "tests/integration/gateway.h"
#include "tests/integration/process.h"
#include "tests/support/paths.h"
#include "tests/support/temporary_folder.h"

namespace sandgate::test {
namespace {

bool contains(const std::string& text, std::string_view needle) { return text.find(needle) != std::string::npos; }

struct Ended {
  int code = 0;
  std::string text;  // stdout and stderr
};

Ended run(std::vector<std::string> words) {
  Process process(std::move(words));
  Ended ended;
  ended.code = process.wait();
  ended.text = process.text();
  return ended;
}

sandbox::ChildEnd run_script(const std::string& path) {
  const char* search = ::getenv("PATH");
  sandbox::ChildCommand command;
  command.program = "/bin/bash";
  command.arguments = {path};
  command.environment = {std::string("PATH=") + (search != nullptr ? search : "/usr/bin:/bin")};
  command.time = std::chrono::minutes(1);
  command.output_bytes_max = 1 << 20;
  platform::Descriptor never(::eventfd(0, EFD_CLOEXEC));
  return sandbox::run_child(command, {}, never).value();
}

// The working folder of the test's process while it lives: `sandgate new` writes into it.
class WorkingFolder {
 public:
  explicit WorkingFolder(const std::string& path) : before_(std::filesystem::current_path()) {
    std::filesystem::current_path(path);
  }
  ~WorkingFolder() { std::filesystem::current_path(before_); }
  WorkingFolder(const WorkingFolder&) = delete;
  WorkingFolder& operator=(const WorkingFolder&) = delete;

 private:
  std::filesystem::path before_;
};

TEST(CheckCommand, TellsWhatAModuleIsAndNeeds) {
  Ended ended = run({"check", guest_path("example_ratelimit")});
  EXPECT_EQ(ended.code, 0) << ended.text;
  EXPECT_TRUE(contains(ended.text, ": core module\n")) << ended.text;
  EXPECT_TRUE(contains(ended.text, R"("allow": {"key_value": ["NAME"]})")) << ended.text;
  EXPECT_TRUE(contains(ended.text, "attach points   OnRequest\n")) << ended.text;
}

TEST(CheckCommand, AnswersPrograms) {
  Ended ended = run({"check", "--json", guest_path("example_logging")});
  EXPECT_EQ(ended.code, 0);
  boost::json::object found = boost::json::parse(ended.text).as_object();
  EXPECT_EQ(found.at("kind"), "core module");
  EXPECT_EQ(found.at("deployable"), true);
  EXPECT_EQ(found.at("attach_points"), boost::json::parse(R"(["OnRequest","OnResponse","OnError"])"));
  EXPECT_EQ(found.at("imports").as_array().at(0).at("name"), "wasi:logging/logging@0.1.0-draft.log");
  EXPECT_FALSE(found.at("exports").as_array().empty());
}

TEST(CheckCommand, SaysWhyAModuleCannotBeDeployed) {
  Ended import = run({"check", guest_path("unknown_import")});
  EXPECT_EQ(import.code, 1);
  EXPECT_TRUE(contains(import.text, "not deployable: the import `env` `secret` is not granted")) << import.text;
  EXPECT_TRUE(contains(import.text, "cannot be granted")) << import.text;
  TemporaryFolder folder;
  Ended text = run({"check", folder.write("text.wasm", "no module")});
  EXPECT_EQ(text.code, 1);
  EXPECT_TRUE(contains(text.text, "not a WebAssembly binary")) << text.text;
  EXPECT_EQ(run({"check", "/no/such/file.wasm"}).code, 1);
}

TEST(NewCommand, MakesAProjectThatBuildsAndServes) {
  TemporaryFolder folder;
  WorkingFolder here(folder.path());
  Ended made = run({"new", "middleware", "tag"});
  ASSERT_EQ(made.code, 0) << made.text;
  sandbox::ChildEnd built = run_script("tag/build.sh");
  ASSERT_EQ(built.code, 0) << built.output << built.diagnostics;
  Gateway gateway;
  std::string server = "127.0.0.1:" + std::to_string(gateway.port());
  Ended deployed =
      run({"modules", "--server", server, "deploy", "tag", "tag/tag.wasm", "--attach", "OnRequest,OnResponse"});
  EXPECT_EQ(deployed.code, 0) << deployed.text;
  EXPECT_EQ(get(gateway.port(), "/private/x").status, 403);
  EXPECT_TRUE(contains(get(gateway.port(), "/").body, "x-tag: 1\n"));
}

TEST(NewCommand, NeverOverwrites) {
  TemporaryFolder folder;
  WorkingFolder here(folder.path());
  std::filesystem::create_directory("tag");
  EXPECT_EQ(run({"new", "middleware", "tag"}).code, 1);
  EXPECT_TRUE(std::filesystem::is_empty("tag"));
  EXPECT_EQ(run({"new", "middleware", "../tag"}).code, 2);
}

TEST(ModulesCommand, DeploysListsShowsAndRemoves) {
  Gateway gateway;
  std::string server = "http://127.0.0.1:" + std::to_string(gateway.port());
  auto modules = [&server](std::vector<std::string> words) {
    words.insert(words.begin(), {"modules", "--server", server});
    return run(std::move(words));
  };
  EXPECT_TRUE(contains(modules({"list"}).text, "no modules are deployed"));
  Ended deployed = modules({"deploy", "limit", guest_path("example_ratelimit"), "--attach", "OnRequest",
                            "--allow-key-value", "ratelimit", "--config", "limit=1", "--config",
                            "window_ms=3600000000000", "--on-failure", "open", "--no-body"});
  EXPECT_EQ(deployed.code, 0) << deployed.text;
  EXPECT_TRUE(contains(deployed.text, "limit deployed as ")) << deployed.text;
  EXPECT_EQ(get(gateway.port(), "/", {{"X-Api-Key", "k"}}).status, 200);
  EXPECT_EQ(get(gateway.port(), "/", {{"X-Api-Key", "k"}}).status, 429);
  EXPECT_TRUE(contains(modules({"list"}).text, "limit")) << modules({"list"}).text;
  Ended shown = modules({"show", "limit"});
  EXPECT_TRUE(contains(shown.text, "on_failure         open")) << shown.text;
  EXPECT_EQ(boost::json::parse(modules({"--json", "show", "limit"}).text).at("module_meta").at("name"), "limit");
  EXPECT_EQ(modules({"remove", "limit"}).code, 0);
  EXPECT_EQ(modules({"show", "limit"}).code, 1);
}

TEST(ModulesCommand, SaysWhatTheGatewayRefused) {
  Gateway gateway;
  std::string server = "127.0.0.1:" + std::to_string(gateway.port());
  Ended refused =
      run({"modules", "--server", server, "deploy", "a", guest_path("unknown_import"), "--attach", "OnRequest"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_TRUE(contains(refused.text, "the import `env` `secret` is not granted")) << refused.text;
  Ended unreachable = run({"modules", "--server", "127.0.0.1:9", "list"});
  EXPECT_EQ(unreachable.code, 1);
  EXPECT_TRUE(contains(unreachable.text, "127.0.0.1:9 cannot be asked")) << unreachable.text;
  EXPECT_EQ(run({"modules", "list", "--server", "nowhere"}).code, 1);
}

TEST(PrintConfig, ShowsTheDefaultsOfLimits) {
  Ended ended =
      run({"serve", "--worker-urls=http://127.0.0.1:9", "--threads=2", "--admin-token=hush", "--print-config"});
  EXPECT_EQ(ended.code, 0) << ended.text;
  boost::json::object config = boost::json::parse(ended.text).as_object();
  EXPECT_EQ(config.at("wasm-max-memory-pages"), 1024);
  EXPECT_EQ(config.at("wasm-max-execution-time-ms"), 1000);
  EXPECT_EQ(config.at("wasm-max-stack-size"), 1024 * 1024);
  EXPECT_EQ(config.at("wasm-thread-pool-size"), 4);
  EXPECT_EQ(config.at("wasm-module-cache-size"), 10);
  EXPECT_EQ(config.at("max-body-size"), 10 * 1024 * 1024);
  EXPECT_EQ(config.at("worker-urls"), boost::json::parse(R"(["http://127.0.0.1:9"])"));
  EXPECT_EQ(config.at("admin-token"), "set") << "never the token itself";
}

TEST(PrintConfig, ServerTimingIsAFlagThatMayHaveAValue) {
  auto shown = [](const std::string& flag) {
    Ended ended = run({"serve", "--worker-urls=http://127.0.0.1:9", flag, "--print-config"});
    EXPECT_EQ(ended.code, 0) << ended.text;
    return std::string(boost::json::parse(ended.text).at("server-timing").as_string());
  };
  EXPECT_EQ(shown("--threads=1"), "off");
  EXPECT_EQ(shown("--server-timing"), "always");
  EXPECT_EQ(shown("--server-timing=on_request"), "on_request");
  EXPECT_EQ(shown("--server-timing=off"), "off");
  EXPECT_NE(run({"serve", "--worker-urls=http://127.0.0.1:9", "--server-timing=later", "--print-config"}).code, 0);
}

TEST(CompletionCommand, KnowsEveryFlag) {
  Ended ended = run({"completion"});
  EXPECT_EQ(ended.code, 0);
  EXPECT_TRUE(contains(ended.text, "--wasm-max-memory-pages")) << ended.text;
  EXPECT_TRUE(contains(ended.text, "'modules deploy') words='")) << ended.text;
}

}  // namespace
}  // namespace sandgate::test
