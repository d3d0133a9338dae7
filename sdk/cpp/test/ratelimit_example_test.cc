// SPDX-License-Identifier: Apache-2.0
//
// The example guest, natively, over the stores and settings of a test.
#include "examples/ratelimit/middleware.cc"

#include <gtest/gtest.h>
#include <sandgate/guest/testkit.h>

namespace {

class RatelimitExample : public ::testing::Test {
 protected:
  RatelimitExample() {
    memory().reset();
    imports::fake() = {};
    imports::fake().stores["ratelimit"];
  }

  // How many of `count` requests with these fields pass in one go.
  static int passing(int count, std::initializer_list<Header> headers, std::uint64_t now = 0,
                     std::string_view id = "id") {
    int passed = 0;
    for (int i = 0; i < count; ++i) {
      Request request;
      request.headers = testkit::make_headers(headers);
      request.now_epoch_ms = now;
      request.request_id = id;
      const Action action = on_request(request);
      if (testkit::passes_unchanged(action)) {
        ++passed;
      } else {
        EXPECT_EQ(testkit::rejected_with(action), 429);
      }
    }
    return passed;
  }
};

TEST_F(RatelimitExample, Lets60Pass) { EXPECT_EQ(passing(65, {{"x-api-key", "k"}}), 60); }

TEST_F(RatelimitExample, BeginsAnewInTheNextWindow) {
  EXPECT_EQ(passing(65, {{"x-api-key", "k"}}, 59'999), 60);
  EXPECT_EQ(passing(65, {{"x-api-key", "k"}}, 60'000), 60);
}

TEST_F(RatelimitExample, LeavesNothingOfThePreviousWindowBehind) {
  passing(1, {{"x-api-key", "k"}}, 59'999);
  passing(1, {{"x-api-key", "k"}}, 60'000);
  EXPECT_EQ(imports::fake().stores["ratelimit"].size(), 1U);
}

TEST_F(RatelimitExample, KnowsAKeyInAnyOfItsFields) {
  imports::fake().settings["limit"] = "1";
  EXPECT_EQ(passing(1, {{"authorization", "Bearer k"}}), 1);
  EXPECT_EQ(passing(1, {{"authorization", "ApiKey k"}}), 0);
  EXPECT_EQ(passing(1, {{"x-api-key", "k"}}), 0);
}

TEST_F(RatelimitExample, FallsBackToAddressesAndThenToTheRequest) {
  imports::fake().settings["limit"] = "1";
  EXPECT_EQ(passing(2, {{"x-forwarded-for", "192.0.2.1, 192.0.2.7"}}), 1);
  EXPECT_EQ(passing(1, {{"x-forwarded-for", "192.0.2.1"}, {"x-real-ip", "192.0.2.9"}}), 0);
  EXPECT_EQ(passing(2, {{"x-real-ip", "192.0.2.1"}}), 1) << "not the client of that X-Forwarded-For";
  EXPECT_EQ(passing(1, {}, 0, "a"), 1);
  EXPECT_EQ(passing(1, {}, 0, "b"), 1);
}

TEST_F(RatelimitExample, TakesItsNumbersFromTheSettings) {
  imports::fake().settings["limit"] = "3";
  imports::fake().settings["window_ms"] = "10";
  EXPECT_EQ(passing(5, {{"x-api-key", "k"}}, 9), 3);
  EXPECT_EQ(passing(5, {{"x-api-key", "k"}}, 10), 3);
}

TEST_F(RatelimitExample, KeepsItsDefaultsWhenASettingIsNoNumber) {
  for (const std::string_view wrong : {"", "0", "-1", "6O", "9999999999999999999"}) {
    imports::fake().stores["ratelimit"].clear();
    imports::fake().settings["limit"] = wrong;
    EXPECT_EQ(passing(65, {{"x-api-key", "k"}}), 60) << wrong;
  }
}

TEST_F(RatelimitExample, KeepsNoKeyAsText) {
  passing(1, {{"x-api-key", "very-secret"}});
  for (const auto& [key, count] : imports::fake().stores["ratelimit"]) EXPECT_EQ(key.find("very"), std::string::npos);
}

}  // namespace
