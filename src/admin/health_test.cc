// SPDX-License-Identifier: Apache-2.0
#include "admin/health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "tests/support/fake_exchange.h"

namespace sandgate::admin {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

test::SentResponse answer(const Handler& handler, std::string_view method = "GET") {
  test::FakeExchange fake(method, "/");
  EXPECT_TRUE(test::serve(handler, fake));
  return fake.sent();
}

TEST(Healthz, IsOkForAsLongAsItAnswers) {
  HealthHandler health;
  test::SentResponse sent = answer(health);
  EXPECT_EQ(sent.status, 200);
  EXPECT_EQ(sent.body, "OK");
  EXPECT_THAT(sent.field("content-type"), StartsWith("text/plain"));
  EXPECT_EQ(sent.field("cache-control"), "no-store");
  EXPECT_EQ(answer(health, "HEAD").status, 200);
}

TEST(Readyz, FollowsTheFlag) {
  std::atomic<bool> ready{false};
  ReadyHandler handler(ready);
  EXPECT_EQ(answer(handler).status, 503);
  ready = true;
  EXPECT_EQ(answer(handler).status, 200);
  EXPECT_EQ(answer(handler).body, "OK");
  ready = false;
  test::SentResponse draining = answer(handler);
  EXPECT_EQ(draining.status, 503);
  EXPECT_EQ(draining.field("content-type"), "application/problem+json");
}

TEST(HealthEndpoints, AreOnlyRead) {
  std::atomic<bool> ready{true};
  HealthHandler health;
  ReadyHandler readiness(ready);
  MetricsHandler metrics({});
  for (const Handler* handler : {static_cast<const Handler*>(&health), static_cast<const Handler*>(&readiness),
                                 static_cast<const Handler*>(&metrics)}) {
    test::SentResponse sent = answer(*handler, "POST");
    EXPECT_EQ(sent.status, 405);
    EXPECT_EQ(sent.field("allow"), "GET, HEAD");
  }
}

TEST(MetricsEndpoint, AnswersTheTextExposition) {
  telemetry::Metrics metrics(1);
  metrics.loop(0).request_started();
  MetricsHandler handler({.metrics = &metrics, .build = {"1.2.3", "abc"}});
  test::SentResponse sent = answer(handler);
  EXPECT_EQ(sent.status, 200);
  EXPECT_EQ(sent.field("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(sent.body, HasSubstr("\nsandgate_requests_in_flight 1\n"));
  EXPECT_THAT(sent.body, HasSubstr("sandgate_build_info{version=\"1.2.3\",revision=\"abc\"} 1\n"));
  EXPECT_THAT(sent.body, HasSubstr("\nprocess_resident_memory_bytes "));
}

}  // namespace
}  // namespace sandgate::admin
