// SPDX-License-Identifier: Apache-2.0
//
// Every budget of a call, from its setting to what the client sees and what is counted.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>
#include <vector>

#include "sandbox/call_limit.h"
#include "tests/integration/gateway.h"
#include "tests/support/paths.h"

namespace sandgate::test {
namespace {

using std::chrono::milliseconds;

// What a busy machine may take beyond the time that a test is about.
constexpr milliseconds kTolerance{2000};
// A budget that no test reaches.
constexpr milliseconds kAmple{20'000};
// Clocks of guests and tests differ by a tick or two.
constexpr milliseconds kTick{10};

bool contains(const std::string& text, std::string_view needle) { return text.find(needle) != std::string::npos; }

std::uint64_t counted(const Gateway& gateway, std::string_view module, std::string_view outcome) {
  return gateway.metric(fmt::format(
      R"(sandgate_module_calls_total{{module="{}",attach_point="OnRequest",outcome="{}"}})", module, outcome));
}

std::uint64_t waits(const Gateway& gateway, std::string_view module) {
  return gateway.metric(fmt::format(R"(sandgate_module_waits_total{{module="{}",attach_point="OnRequest"}})", module));
}

milliseconds time_of(const std::function<void()>& work) {
  auto begun = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begun);
}

// One request each, at the same time.
std::vector<Received> get_at_once(std::uint16_t port, unsigned clients) {
  std::vector<Received> responses(clients);
  std::vector<std::thread> threads;
  for (Received& response : responses) threads.emplace_back([&response, port] { response = get(port, "/"); });
  for (std::thread& thread : threads) thread.join();
  return responses;
}

TEST(Budget, MemoryGrowsToItsPagesAndNoFurther) {
  constexpr std::uint64_t kPages = 128;
  Worker worker;
  config::Settings settings = gateway_settings({worker.url()});
  settings.wasm_memory_pages_max = kPages;
  Gateway gateway(settings);
  std::string uuid = gateway.deploy("memory_eater");
  EXPECT_EQ(get(gateway.port(), "/").status, 503);
  EXPECT_EQ(counted(gateway, "memory_eater", "memory"), 1U);
  EXPECT_EQ(gateway.metric(R"(sandgate_module_memory_peak_bytes{module="memory_eater",attach_point="OnRequest"})"),
            kPages * 65536);
  gateway.remove(uuid);
  Received refused = gateway.post_module("bulk_fill", guest_path("bulk_fill"));
  EXPECT_TRUE(contains(refused.body, "a memory begins with 34603008 bytes, the largest of this process is 8388608"))
      << refused.body;
}

TEST(Budget, WallTimeEndsACallSoonAfterIt) {
  for (milliseconds budget : {milliseconds(1), milliseconds(300)}) {
    Worker worker;
    config::Settings settings = gateway_settings({worker.url()});
    settings.wasm_execution_time_max = budget;
    Gateway gateway(settings);
    gateway.deploy("loop_forever");
    milliseconds took = time_of([&] { EXPECT_EQ(get(gateway.port(), "/").status, 503); });
    EXPECT_GE(took + kTick, budget);
    EXPECT_LT(took, budget + kTolerance);
    EXPECT_EQ(counted(gateway, "loop_forever", "deadline"), 1U);
  }
}

TEST(Budget, CpuTimeIsOfItsOwn) {
  Worker worker;
  config::Settings settings = gateway_settings({worker.url()});
  settings.wasm_execution_time_max = kAmple;
  settings.wasm_cpu_time_max = milliseconds(20);
  Gateway gateway(settings);
  gateway.deploy("loop_forever");
  milliseconds took = time_of([&] { EXPECT_EQ(get(gateway.port(), "/").status, 503); });
  EXPECT_LT(took, kAmple / 2);
  EXPECT_EQ(counted(gateway, "loop_forever", "cpu"), 1U);
  EXPECT_EQ(counted(gateway, "loop_forever", "deadline"), 0U);
}

TEST(Budget, WhoSleepsIsChargedNoCpuTime) {
  constexpr milliseconds kSleep{200};
  constexpr milliseconds kWall{1500};
  Worker worker;
  config::Settings settings = gateway_settings({worker.url()});
  settings.wasm_execution_time_max = kWall;
  settings.wasm_cpu_time_max = milliseconds(50);
  Gateway gateway(settings);
  gateway.deploy("wait");
  auto sleep = [&](milliseconds time) {
    return fetch(gateway.port(), "POST", "/status/200", {}, std::string(static_cast<std::size_t>(time.count()), 'x'));
  };
  milliseconds took = time_of([&] { EXPECT_EQ(sleep(kSleep).status, 200); });
  EXPECT_GE(took + kTick, kSleep);
  took = time_of([&] { EXPECT_EQ(sleep(10 * kWall).status, 503); });
  EXPECT_GE(took + kTick, kWall);
  EXPECT_LT(took, kWall + kTolerance);
  EXPECT_EQ(counted(gateway, "wait", "continue"), 1U);
  EXPECT_EQ(counted(gateway, "wait", "deadline"), 1U);
}

TEST(Budget, StackIsAsLargeAsItWasSet) {
  for (bool large : {false, true}) {
    Worker worker;
    config::Settings settings = gateway_settings({worker.url()});
    settings.wasm_stack_bytes_max = large ? std::uint64_t{1} << 20 : std::uint64_t{64} << 10;
    Gateway gateway(settings);
    std::string endless = gateway.deploy("stack_recursion");
    EXPECT_EQ(get(gateway.port(), "/").status, 503);
    EXPECT_EQ(counted(gateway, "stack_recursion", "stack"), 1U);
    gateway.remove(endless);
    gateway.deploy("recursion_5000");
    EXPECT_EQ(get(gateway.port(), "/").status, large ? 200 : 503);
    EXPECT_EQ(counted(gateway, "recursion_5000", large ? "continue" : "stack"), 1U);
  }
}

TEST(Budget, ABodyOfAModuleIsAtMostAsLargeAsOneThatItSees) {
  constexpr std::uint64_t kBodyBytes = 1 << 20;  // of large_body_1m
  for (bool fits : {true, false}) {
    Worker worker;
    config::Settings settings = gateway_settings({worker.url()});
    settings.body_bytes_max = fits ? kBodyBytes : kBodyBytes - 1;
    Gateway gateway(settings);
    gateway.deploy("large_body_1m");
    // A path whose handler reads the body: an answer that comes before it may be lost with the connection.
    EXPECT_EQ(get(gateway.port(), "/").status, fits ? 200 : 503);
    EXPECT_EQ(counted(gateway, "large_body_1m", fits ? "modify" : "too_large"), 1U);
  }
}

TEST(Budget, TheFifthCallWaitsForOneOfFour) {
  constexpr milliseconds kWall{400};
  Worker worker;
  config::Settings settings = gateway_settings({worker.url()});
  settings.wasm_execution_time_max = kWall;
  settings.wasm_calls_max = 4;
  Gateway gateway(settings);
  gateway.deploy("loop_forever");
  milliseconds took = time_of([&] {
    for (const Received& response : get_at_once(gateway.port(), 4)) EXPECT_EQ(response.status, 503);
  });
  EXPECT_EQ(waits(gateway, "loop_forever"), 0U);
  took = time_of([&] {
    for (const Received& response : get_at_once(gateway.port(), 5)) EXPECT_EQ(response.status, 503);
  });
  EXPECT_GE(took + 2 * kTick, 2 * kWall) << "the fifth began before one of the four had ended";
  EXPECT_EQ(waits(gateway, "loop_forever"), 1U);
  EXPECT_EQ(counted(gateway, "loop_forever", "deadline"), 9U);
}

TEST(Budget, WhoWaitsTooLongIsToldToComeBack) {
  constexpr unsigned kClients = 8;
  Worker worker;
  config::Settings settings = gateway_settings({worker.url()});
  settings.wasm_execution_time_max = milliseconds(200);
  settings.wasm_calls_max = 1;
  Gateway gateway(settings);
  gateway.deploy("loop_forever");
  unsigned told = 0;
  for (const Received& response : get_at_once(gateway.port(), kClients)) {
    EXPECT_EQ(response.status, 503);
    if (!response.field("retry-after")) continue;
    EXPECT_TRUE(contains(response.body, "overloaded")) << response.body;
    ++told;
  }
  EXPECT_GE(told, 1U);
  EXPECT_EQ(counted(gateway, "loop_forever", "capacity"), told);
  EXPECT_EQ(counted(gateway, "loop_forever", "deadline"), kClients - told);
}

TEST(Budget, AFullQueueRefusesAtOnce) {
  Worker worker;
  config::Settings settings = gateway_settings({worker.url()});
  settings.wasm_execution_time_max = kAmple;
  settings.wasm_calls_max = 1;
  Gateway gateway(settings);
  gateway.deploy("wait");
  std::string request =
      fmt::format("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 15000\r\n\r\n{}", std::string(15'000, 'x'));
  // One that runs and all that may wait.
  std::vector<RawClient> waiting;
  for (std::size_t i = 0; i < 1 + sandbox::CallLimit::kWaitingMax; ++i) {
    waiting.emplace_back(gateway.port());
    ASSERT_TRUE(waiting.back().send(request)) << i;
  }
  std::string all_called = fmt::format("\"access_count\":{},", waiting.size());
  for (int i = 0; i < 1000 && !contains(get(gateway.port(), "/wasm").body, all_called); ++i) {
    std::this_thread::sleep_for(kTick);
  }
  Received refused = fetch(gateway.port(), "POST", "/", {}, std::string(15'000, 'x'));
  EXPECT_EQ(refused.status, 503) << refused.body;
  EXPECT_EQ(refused.field("retry-after"), "1");
  EXPECT_EQ(counted(gateway, "wait", "capacity"), 1U);
  EXPECT_EQ(get(gateway.port(), "/healthz").status, 200);
}

}  // namespace
}  // namespace sandgate::test
