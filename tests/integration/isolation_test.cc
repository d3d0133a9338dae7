// SPDX-License-Identifier: Apache-2.0
//
// What a module does wrong hurts its own requests and nothing else: others flow on the same thread, and everything
// comes back.
#include <gtest/gtest.h>

#include <sys/wait.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <thread>

#include "tests/integration/gateway.h"
#include "tests/support/neighbour.h"
#include "tests/support/paths.h"
#include "tests/support/resident_memory.h"
#include "tests/support/temporary_folder.h"

namespace sandgate::test {
namespace {

using Clock = std::chrono::steady_clock;

bool contains(const std::string& text, std::string_view needle) { return text.find(needle) != std::string::npos; }

TEST(Isolation, ALoopingModuleIsEndedAtItsDeadlineWhileOthersAreServed) {
  Gateway gateway;
  gateway.deploy("loop_forever");
  Neighbour neighbour(gateway.port());
  Clock::time_point begun = Clock::now();
  Received response = get(gateway.port(), "/");
  auto took = Clock::now() - begun;
  neighbour.end();
  EXPECT_EQ(response.status, 503);
  EXPECT_GE(took, std::chrono::milliseconds(950));
  EXPECT_LT(took, std::chrono::seconds(10));
  EXPECT_EQ(neighbour.failed(), 0);
  EXPECT_GT(neighbour.served(), 50) << "the loop was held up";
  EXPECT_EQ(gateway.worker().requests(), 0);
}

TEST(Isolation, ManyLoopingModulesShareOneThread) {
  Gateway gateway;
  gateway.deploy("loop_forever");
  Neighbour neighbour(gateway.port());
  std::vector<std::thread> clients;
  std::atomic<int> refused{0};
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&] {
      if (get(gateway.port(), "/").status == 503) ++refused;
    });
  }
  for (std::thread& client : clients) client.join();
  neighbour.end();
  EXPECT_EQ(refused, 8);
  EXPECT_EQ(neighbour.failed(), 0);
  EXPECT_GT(neighbour.served(), 20);
}

TEST(Isolation, AClientThatLeavesEndsItsLoopingGuest) {
  Gateway gateway;
  gateway.deploy("loop_forever");
  for (int i = 0; i < 20; ++i) {
    RawClient client(gateway.port());
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(get(gateway.port(), "/healthz").status, 200);
  EXPECT_TRUE(contains(get(gateway.port(), "/wasm").body, "\"successful_executions\":0"));
}

TEST(Isolation, MemoryThatGuestsAteComesBack) {
  Gateway gateway;
  gateway.deploy("memory_hog_touch");
  Neighbour neighbour(gateway.port());
  for (int i = 0; i < 3; ++i) get(gateway.port(), "/");
  long before = resident_kib();
  for (int i = 0; i < 30; ++i) get(gateway.port(), "/");
  neighbour.end();
  EXPECT_LT(resident_kib(), before + 64 * 1024) << "30 calls of up to 64 MiB each must not add up";
  EXPECT_EQ(neighbour.failed(), 0);
  EXPECT_EQ(get(gateway.port(), "/healthz").status, 200);
}

TEST(Isolation, TrapsUnderLoadCostOnlyTheirOwnRequests) {
  Gateway gateway;
  gateway.deploy("trap_always");
  Neighbour neighbour(gateway.port());
  for (int i = 0; i < 200; ++i) ASSERT_EQ(get(gateway.port(), "/").status, 503);
  neighbour.end();
  EXPECT_EQ(neighbour.failed(), 0);
  EXPECT_TRUE(contains(get(gateway.port(), "/wasm").body, "\"failed_executions\":200"));
}

TEST(Isolation, ALongCompilationStallsNothing) {
  Worker worker;
  TemporaryFolder folder;
  config::Settings settings = gateway_settings({worker.url()});
  settings.cache_directory = folder.path("cache");
  Gateway gateway(settings);
  std::string module = folder.path("big.wasm");
  pid_t maker = ::fork();
  if (maker == 0) {
    std::string script = source_path("tests/guests/make_big_module.py");
    ::execlp("python3", "python3", script.c_str(), module.c_str(), "600", nullptr);
    ::_exit(127);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(maker, &status, 0), maker);
  ASSERT_EQ(status, 0);
  std::atomic<bool> deployed{false};
  std::string reply;
  std::thread deployment([&] {
    reply = gateway.post_module("big", module).body;
    deployed = true;
  });
  int served = 0;
  while (!deployed) {
    ASSERT_EQ(get(gateway.port(), "/status/200").status, 200);
    ++served;
  }
  deployment.join();
  EXPECT_TRUE(contains(reply, "Success")) << reply;
  EXPECT_GT(served, 20);
}

}  // namespace
}  // namespace sandgate::test
