// SPDX-License-Identifier: Apache-2.0
#include "gateway/request_id.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/fake_exchange.h"

namespace sandgate::gateway {
namespace {

std::string assigned(test::FakeExchange& fake) {
  platform::RequestIds ids;
  fake.exchange.id = {};
  assign_request_id(fake.exchange, ids);
  EXPECT_EQ(fake.exchange.request.fields.count(http::FieldId::kXRequestId), 1U);
  EXPECT_EQ(fake.exchange.request.fields.find(http::FieldId::kXRequestId), fake.exchange.id);
  return std::string(fake.exchange.id);
}

bool is_made(const std::string& id) {
  return id.size() == platform::RequestIds::kLength && id.find_first_not_of("0123456789abcdef") == std::string::npos;
}

TEST(RequestId, IsVisibleAsciiOfBoundedLength) {
  EXPECT_TRUE(is_request_id("a"));
  EXPECT_TRUE(is_request_id("chatcmpl-1/2:3~!"));
  EXPECT_TRUE(is_request_id(std::string(128, 'x')));
  EXPECT_FALSE(is_request_id(""));
  EXPECT_FALSE(is_request_id(std::string(129, 'x')));
  EXPECT_FALSE(is_request_id("a b"));
  EXPECT_FALSE(is_request_id("a\tb"));
  EXPECT_FALSE(is_request_id("a\x7f"));
  EXPECT_FALSE(is_request_id("\xc3\xa4"));
}

TEST(RequestId, OfTheClientIsKept) {
  test::FakeExchange fake;
  fake.add_field("X-Request-ID", "mine-7");
  EXPECT_EQ(assigned(fake), "mine-7");
}

TEST(RequestId, IsMadeWhenThereIsNone) {
  test::FakeExchange fake;
  std::string first = assigned(fake);
  EXPECT_TRUE(is_made(first)) << first;
  test::FakeExchange other;
  EXPECT_NE(assigned(other), first);
}

TEST(RequestId, IsMadeWhenTheClientsIsUnusable) {
  for (std::string_view bad : {"", "two words", "\xff"}) {
    test::FakeExchange fake;
    fake.add_field("x-request-id", bad);
    EXPECT_TRUE(is_made(assigned(fake))) << bad;
  }
}

TEST(RequestId, IsMadeWhenTheClientSentTwo) {
  test::FakeExchange fake;
  fake.add_field("x-request-id", "one").add_field("x-request-id", "two");
  EXPECT_TRUE(is_made(assigned(fake)));
}

}  // namespace
}  // namespace sandgate::gateway
