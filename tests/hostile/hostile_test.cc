// SPDX-License-Identifier: Apache-2.0
//
// Every hostile guest: the outcome that its row says, and around it a server that lives and serves others.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "sandbox/engine.h"
#include "tests/hostile/rows.h"
#include "tests/support/neighbour.h"
#include "tests/support/paths.h"
#include "tests/support/resident_memory.h"
#include "tests/support/temporary_folder.h"

namespace sandgate::test {
namespace {

// Guests that end by themselves get more time than a busy machine can make them need.
constexpr Milliseconds kPatience{10'000};
// A guest that spins gets longer than the neighbour may wait: who waits for the guest's end is found out.
constexpr Milliseconds kSpinTime{500};
constexpr Milliseconds kWaitMax{250};
// A busy machine may stop us for so long, but not each time.
constexpr int kAttempts = 4;

bool contains(const std::string& text, std::string_view needle) { return text.find(needle) != std::string::npos; }

config::Settings settings_for(const Worker& worker, Milliseconds time) {
  config::Settings settings = gateway_settings({worker.url()});
  settings.wasm_execution_time_max = time;
  return settings;
}

// Afterwards everything is as if nothing had been.
void expect_unharmed(Gateway& gateway, const Abi& abi) {
  std::string clean = gateway.deploy("set_add_remove", abi.points);
  Received response = call(gateway, {});
  EXPECT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(counted(gateway, abi, "set_add_remove", "modify"), 1U);
  EXPECT_EQ(gateway.remove(clean).status, 200);
  EXPECT_EQ(get(gateway.port(), "/healthz").status, 200);
  EXPECT_EQ(gateway.metric("sandgate_modules_deployed"), 0U);
}

std::string test_name(const Abi& abi, std::string_view guest, std::string_view query) {
  std::string name(abi.name);
  name += fmt::format("_{}", guest);
  if (!query.empty()) name += fmt::format("_{}", query);
  return name;
}

class HostileCall : public testing::TestWithParam<CallRow> {};

TEST_P(HostileCall, ComesToItsOutcomeAndHurtsNobody) {
  const CallRow& row = GetParam();
  bool spins = row.ends == CallRow::Ends::kByDeadline;
  Worker worker;
  Gateway gateway(settings_for(worker, spins ? kSpinTime : kPatience));
  std::string uuid = gateway.deploy(row.guest, row.abi->points, row.options);
  ASSERT_FALSE(uuid.empty());
  Milliseconds longest_wait{0};
  unsigned calls = 0;
  do {
    Neighbour neighbour(gateway.port());
    Received response = call(gateway, row.query);
    neighbour.end();
    ++calls;
    ASSERT_EQ(response.status, row.status) << response.body;
    ASSERT_TRUE(response.complete);
    ASSERT_EQ(counted(gateway, *row.abi, row.guest, row.outcome), calls) << get(gateway.port(), "/metrics").body;
    EXPECT_EQ(neighbour.failed(), 0);
    longest_wait = neighbour.longest_wait();
  } while (longest_wait >= kWaitMax && calls < kAttempts);
  RecordProperty("longest_wait_ms", static_cast<int>(longest_wait.count()));
  RecordProperty("calls", static_cast<int>(calls));
  EXPECT_LT(longest_wait, kWaitMax) << "the loop was held up in each of " << calls << " calls";
  if (row.status == row.abi->failed_status) EXPECT_EQ(worker.requests(), 0) << "a failed module let a request through";
  EXPECT_EQ(gateway.remove(uuid).status, 200);
  expect_unharmed(gateway, *row.abi);
}

INSTANTIATE_TEST_SUITE_P(Guests, HostileCall, testing::ValuesIn(call_rows()),
                         [](const auto& row) { return test_name(*row.param.abi, row.param.guest, row.param.query); });

class HostileModule : public testing::TestWithParam<RefusalRow> {};

void expect_refused(Gateway& gateway, const Abi& abi, std::string_view path, std::string_view says) {
  Neighbour neighbour(gateway.port());
  Received reply = gateway.post_module("hostile", path, abi.points);
  neighbour.end();
  EXPECT_EQ(reply.status, 400) << path;
  EXPECT_TRUE(contains(reply.body, "\"add_result\":{\"Error\":\"")) << reply.body;
  EXPECT_TRUE(contains(reply.body, says)) << path << ": " << reply.body;
  EXPECT_EQ(neighbour.failed(), 0);
}

TEST_P(HostileModule, IsRefusedWithItsReason) {
  const RefusalRow& row = GetParam();
  Gateway gateway;
  expect_refused(gateway, *row.abi, guest_path(row.guest), row.says);
  expect_unharmed(gateway, *row.abi);
}

INSTANTIATE_TEST_SUITE_P(Guests, HostileModule, testing::ValuesIn(refusal_rows()),
                         [](const auto& row) { return test_name(*row.param.abi, row.param.guest, {}); });

TEST(HostileModule, CutOffAnywhereIsRefused) {
  Gateway gateway;
  TemporaryFolder folder;
  std::string whole = read_guest("trap_store");
  expect_refused(gateway, router_middleware(), folder.write("cut.wasm", ""), "Module file size cannot be 0");
  for (std::size_t size : {std::size_t{1}, std::size_t{4}, std::size_t{7}, std::size_t{8}, std::size_t{9},
                           whole.size() / 4, whole.size() / 2, whole.size() * 3 / 4, whole.size() - 1}) {
    SCOPED_TRACE(size);
    expect_refused(gateway, router_middleware(), folder.write("cut.wasm", whole.substr(0, size)),
                   "Invalid WASM component: ");
  }
  expect_unharmed(gateway, router_middleware());
}

TEST(HostileModule, OfAnotherFormatIsRefused) {
  Gateway gateway;
  TemporaryFolder folder;
  for (std::string_view content : {std::string_view("\x7f"
                                                    "ELF"),
                                   std::string_view("(module)"), std::string_view("\0ASM\1\0\0\0", 8)}) {
    expect_refused(gateway, router_middleware(), folder.write("other.wasm", std::string(content)),
                   "the file does not begin with the bytes of a wasm binary");
  }
  expect_unharmed(gateway, router_middleware());
}

TEST(HostileModule, LargerThanTheLimitIsNotRead) {
  constexpr std::uintmax_t kBytes = std::uintmax_t{65} << 20;
  Gateway gateway;
  TemporaryFolder folder;
  std::string path = folder.write("large.wasm", read_guest("continue_all"));
  std::filesystem::resize_file(path, kBytes);
  long before = resident_kib();
  expect_refused(gateway, router_middleware(), path, "a regular file of at most 64 MiB");
  EXPECT_LT(resident_kib(), before + static_cast<long>(kBytes / 1024 / 2)) << "the file was read";
  expect_unharmed(gateway, router_middleware());
}

// More calls than there are instances: each failed one must have given its own back.
TEST(HostileCall, FailuresLeaveNoInstanceBehind) {
  constexpr unsigned kCalls = sandbox::kInstancesMaxDefault + 100;
  for (std::string_view guest : {"trap_always", "trap_in_start", "recursion_in_post", "bad_discriminant"}) {
    Gateway gateway;
    gateway.deploy(guest);
    RawClient client(gateway.port());
    for (unsigned i = 0; i < kCalls; ++i) {
      client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      ASSERT_EQ(client.receive_response().status, 503) << guest;
    }
    EXPECT_EQ(counted(gateway, router_middleware(), guest, "capacity"), 0U) << guest;
    EXPECT_EQ(gateway.metric("sandgate_guest_calls_total{result=\"failure\"}"), kCalls) << guest;
  }
}

}  // namespace
}  // namespace sandgate::test
