// SPDX-License-Identifier: Apache-2.0
//
// What guests eat comes back: the memory in use does not grow with the number of calls.
#include <gtest/gtest.h>

#include "tests/hostile/rows.h"
#include "tests/support/resident_memory.h"

namespace sandgate::test {
namespace {

// Until every pool and cache has seen what it keeps.
constexpr int kFirstCalls = 4;
constexpr int kCalls = 20;
// Half of what one such call takes; kept, the calls would add up to 1 GiB.
constexpr long kGrowthKibMax = 32 * 1024;
// Eats first, and is ended soon when it does not end itself.
constexpr Milliseconds kTime{100};

class HostileMemory : public testing::TestWithParam<std::string_view> {};

TEST_P(HostileMemory, ComesBack) {
#if defined(__has_feature) && __has_feature(address_sanitizer)
  GTEST_SKIP() << "AddressSanitizer keeps what is freed for a while, to find who still uses it";
#endif
  Worker worker;
  config::Settings settings = gateway_settings({worker.url()});
  settings.wasm_execution_time_max = kTime;
  Gateway gateway(settings);
  gateway.deploy(GetParam());
  for (int i = 0; i < kFirstCalls; ++i) call(gateway, {});
  long before = resident_kib();
  for (int i = 0; i < kCalls; ++i) ASSERT_NE(call(gateway, {}).status, 0);
  EXPECT_LT(resident_kib(), before + kGrowthKibMax);
}

INSTANTIATE_TEST_SUITE_P(Guests, HostileMemory,
                         testing::Values("memory_hog_touch", "memory_eater", "grow_in_post", "grow_in_start",
                                         "bulk_fill_64m", "table_eater", "loop_grow_refused", "answer_body_12m",
                                         "answer_10000_edits", "storm_logging", "realloc_moves"),
                         [](const auto& guest) { return std::string(guest.param); });

}  // namespace
}  // namespace sandgate::test
