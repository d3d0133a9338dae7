// SPDX-License-Identifier: Apache-2.0
#include "telemetry/route_metrics.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/support/fake_exchange.h"

namespace sandgate::telemetry {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string page(const RouteMetrics& routes) {
  Exposition out;
  routes.write(out);
  return out.take();
}

void answer(RouteCounts& route, int status, Nanoseconds took, unsigned loop = 0) {
  test::FakeExchange fake("GET", "/", loop);
  fake.exchange.record.status = status;
  route.request_ended(fake.exchange, took);
}

TEST(RouteMetrics, CountAnswersAndTimesOverAllLoops) {
  RouteMetrics routes(2);
  answer(routes.of("users"), 200, Nanoseconds(300'000), 0);
  answer(routes.of("users"), 204, Nanoseconds(300'000), 1);
  answer(routes.of("users"), 503, Nanoseconds(2'000'000), 1);
  answer(routes.of("users"), 0, Nanoseconds(2'000'000), 1);
  std::string text = page(routes);
  for (const char* line :
       {R"(requests_total{route="users",code="2xx"} 2)", R"(requests_total{route="users",code="5xx"} 1)",
        R"(requests_total{route="users",code="none"} 1)", R"(duration_seconds_bucket{route="users",le="0.00025"} 0)",
        R"(duration_seconds_bucket{route="users",le="0.0005"} 2)",
        R"(duration_seconds_bucket{route="users",le="+Inf"} 4)", R"(duration_seconds_sum{route="users"} 0.004600000)",
        R"(duration_seconds_count{route="users"} 4)"}) {
    EXPECT_THAT(text, HasSubstr(fmt::format("\nsandgate_route_{}\n", line)));
  }
}

TEST(RouteMetrics, ANameGoesOnCountingWhenItIsAskedForAgain) {
  RouteMetrics routes(1);
  answer(routes.of("a"), 200, Nanoseconds(1));
  answer(routes.of("b"), 200, Nanoseconds(1));
  EXPECT_EQ(&routes.of("a"), &routes.of("a"));
  answer(routes.of("a"), 200, Nanoseconds(1));
  EXPECT_THAT(page(routes), HasSubstr(R"({route="a",code="2xx"} 2)"));
}

TEST(RouteMetrics, SayNothingOfRoutesThatNobodyTook) {
  RouteMetrics routes(1);
  routes.of("idle");
  EXPECT_EQ(page(routes), "");
  answer(routes.of("busy"), 200, Nanoseconds(1));
  EXPECT_THAT(page(routes), Not(HasSubstr("idle")));
}

TEST(RouteMetrics, NamesBeyondTheLimitAreOther) {
  RouteMetrics routes(1);
  for (std::size_t i = 0; i < RouteMetrics::kRoutesMax; ++i) routes.of(fmt::format("/{}", i));
  EXPECT_EQ(&routes.of("/one-more"), &routes.of("/another"));
  EXPECT_EQ(&routes.of("/one-more"), &routes.of(RouteMetrics::kOther));
  EXPECT_NE(&routes.of("/0"), &routes.of("/one-more"));
  EXPECT_THAT(page(routes), Not(HasSubstr("other")));
  answer(routes.of("/one-more"), 200, Nanoseconds(1));
  EXPECT_THAT(page(routes), HasSubstr(R"(_total{route="other",code="2xx"} 1)"));
}

TEST(RouteMetrics, ALabelIsEscaped) {
  RouteMetrics routes(1);
  answer(routes.of("a\"b\\c"), 200, Nanoseconds(1));
  EXPECT_THAT(page(routes), HasSubstr(R"({route="a\"b\\c",code="2xx"} 1)"));
}

// What a reload does while requests end and somebody reads the page.
TEST(RouteMetrics, NamesAreTakenWhileOthersCountAndRead) {
  constexpr unsigned kRounds = 1000;
  RouteMetrics routes(1);
  RouteCounts& first = routes.of("first");
  std::jthread reloads([&routes] {
    for (unsigned i = 0; i < kRounds; ++i) routes.of(fmt::format("/{}", i));
  });
  std::jthread reads([&routes] {
    for (unsigned i = 0; i < 20; ++i) page(routes);
  });
  for (unsigned i = 0; i < kRounds; ++i) answer(first, 200, Nanoseconds(1));
  reloads.join();
  reads.join();
  EXPECT_THAT(page(routes), HasSubstr(R"(_total{route="first",code="2xx"} 1000)"));
}

}  // namespace
}  // namespace sandgate::telemetry
