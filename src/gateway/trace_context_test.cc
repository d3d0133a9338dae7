// SPDX-License-Identifier: Apache-2.0
#include "gateway/trace_context.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/fake_exchange.h"

namespace sandgate::gateway {
namespace {

const std::string kTrace = "0af7651916cd43dd8448eb211c80319c";
const std::string kValid = "00-" + kTrace + "-b7ad6b7169203331-01";

std::string traceparent(const test::FakeExchange& fake) {
  return std::string(fake.exchange.request.fields.find("traceparent").value_or(""));
}

TEST(Traceparent, IsVersionTraceParentAndFlags) {
  EXPECT_TRUE(is_traceparent(kValid));
  EXPECT_TRUE(is_traceparent("cc-" + kTrace + "-b7ad6b7169203331-01-what-comes-later"));
  for (const std::string& value :
       {std::string(), kValid + "-more", kValid.substr(1), "ff" + kValid.substr(2), "0G" + kValid.substr(2),
        "00-" + std::string(32, '0') + "-b7ad6b7169203331-01", "00-" + kTrace + "-0000000000000000-01",
        std::string("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"), "00_" + kTrace + "-b7ad6b7169203331-01",
        "cc-" + kTrace + "-b7ad6b7169203331-01x"})
    EXPECT_FALSE(is_traceparent(value)) << value;
}

TEST(BeginTrace, KeepsWhatIsValid) {
  platform::RequestIds ids;
  test::FakeExchange fake;
  fake.add_field("Traceparent", kValid).add_field("tracestate", "a=b");
  begin_trace(fake.exchange, ids);
  EXPECT_EQ(traceparent(fake), kValid);
  EXPECT_EQ(fake.exchange.request.fields.find("tracestate"), "a=b");
}

TEST(BeginTrace, BeginsOneWithTheRequestIdWhereThereIsNone) {
  platform::RequestIds ids;
  test::FakeExchange fake;
  begin_trace(fake.exchange, ids);
  EXPECT_TRUE(is_traceparent(traceparent(fake)));
  EXPECT_EQ(traceparent(fake).substr(3, 32), fake.exchange.id);
  test::FakeExchange other;
  other.exchange.id = "an id of the client's";
  begin_trace(other.exchange, ids);
  EXPECT_TRUE(is_traceparent(traceparent(other)));
}

TEST(BeginTrace, ReplacesWhatIsInvalidWithItsState) {
  platform::RequestIds ids;
  for (int lines : {1, 2}) {
    test::FakeExchange fake;
    for (int i = 0; i < lines; ++i) fake.add_field("traceparent", lines == 1 ? "nonsense" : kValid);
    fake.add_field("tracestate", "a=b");
    begin_trace(fake.exchange, ids);
    EXPECT_TRUE(is_traceparent(traceparent(fake)));
    EXPECT_NE(traceparent(fake), kValid);
    EXPECT_FALSE(fake.exchange.request.fields.find("tracestate"));
  }
}

}  // namespace
}  // namespace sandgate::gateway
