// SPDX-License-Identifier: Apache-2.0
//
// The example guest, natively: the table of examples/auth/README.md.
#include "examples/auth/middleware.cc"

#include <gtest/gtest.h>
#include <sandgate/guest/testkit.h>

namespace {

constexpr std::string_view kRight = "secret-api-key-12345";

class AuthExample : public ::testing::Test {
 protected:
  AuthExample() { memory().reset(); }

  static bool lets_pass(std::string_view path, std::initializer_list<Header> headers) {
    Request request;
    request.path = path;
    request.headers = testkit::make_headers(headers);
    const Action action = on_request(request);
    if (testkit::passes_unchanged(action)) return true;
    EXPECT_EQ(testkit::rejected_with(action), 401);
    return false;
  }
  static std::string_view scheme(std::string_view name) { return concat(name, kRight); }
};

TEST_F(AuthExample, RefusesWithoutAKey) {
  EXPECT_FALSE(lets_pass("/v1/chat/completions", {}));
  EXPECT_FALSE(lets_pass("/api/users", {}));
}

TEST_F(AuthExample, TakesEitherScheme) {
  EXPECT_TRUE(lets_pass("/v1/chat/completions", {{"authorization", scheme("Bearer ")}}));
  EXPECT_TRUE(lets_pass("/v1/chat/completions", {{"authorization", scheme("ApiKey ")}}));
}

TEST_F(AuthExample, ComparesSchemesExactly) {
  EXPECT_FALSE(lets_pass("/v1", {{"authorization", scheme("bearer ")}}));
  EXPECT_FALSE(lets_pass("/v1", {{"authorization", scheme("Bearer  ")}}));
  EXPECT_FALSE(lets_pass("/v1", {{"authorization", scheme("")}}));
}

TEST_F(AuthExample, TakesTheKeyField) {
  EXPECT_TRUE(lets_pass("/v1", {{"X-Api-Key", kRight}}));
  EXPECT_FALSE(lets_pass("/v1", {{"x-api-key", "secret-api-key-12346"}}));
  EXPECT_FALSE(lets_pass("/v1", {{"x-api-key", ""}}));
}

TEST_F(AuthExample, AWrongKeyInAKnownSchemeDecides) {
  EXPECT_FALSE(lets_pass("/v1", {{"authorization", "Bearer wrong"}, {"x-api-key", kRight}}));
  EXPECT_FALSE(lets_pass("/v1", {{"authorization", "ApiKey "}, {"x-api-key", kRight}}));
}

TEST_F(AuthExample, AnUnknownSchemeDoesNotDecide) {
  EXPECT_TRUE(lets_pass("/v1", {{"authorization", "Basic zzz"}, {"x-api-key", kRight}}));
  EXPECT_TRUE(lets_pass("/v1", {{"authorization", scheme("bearer ")}, {"x-api-key", kRight}}));
}

TEST_F(AuthExample, TheFirstFieldCounts) {
  EXPECT_FALSE(lets_pass("/v1", {{"authorization", "Bearer wrong"}, {"authorization", scheme("Bearer ")}}));
  EXPECT_FALSE(lets_pass("/v1", {{"x-api-key", "wrong"}, {"x-api-key", kRight}}));
}

TEST_F(AuthExample, ProtectsByPlainPrefix) {
  EXPECT_FALSE(lets_pass("/v1x", {}));
  EXPECT_FALSE(lets_pass("/apiary", {}));
  EXPECT_TRUE(lets_pass("/generate", {}));
  EXPECT_TRUE(lets_pass("/", {}));
  EXPECT_TRUE(lets_pass("/x/v1", {}));
}

}  // namespace
