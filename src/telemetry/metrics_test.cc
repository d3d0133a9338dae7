// SPDX-License-Identifier: Apache-2.0
#include "telemetry/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "telemetry/metrics_text.h"
#include "tests/support/fake_exchange.h"

namespace sandgate::telemetry {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string page(const Metrics& metrics) { return metrics_text({.metrics = &metrics}, {}); }

TEST(MethodLabel, IsFromAFixedSet) {
  for (std::size_t i = 0; i + 1 < kMethodLabels.size(); ++i) EXPECT_EQ(method_index(kMethodLabels[i]), i);
  for (const char* method : {"", "get", "BREW", "GETT", "other"}) {
    EXPECT_EQ(method_index(method), kMethodLabels.size() - 1) << method;
  }
}

TEST(StatusLabel, IsTheClass) {
  EXPECT_EQ(kStatusLabels[status_index(0)], "none");
  EXPECT_EQ(kStatusLabels[status_index(101)], "1xx");
  EXPECT_EQ(kStatusLabels[status_index(200)], "2xx");
  EXPECT_EQ(kStatusLabels[status_index(599)], "5xx");
  EXPECT_EQ(kStatusLabels[status_index(600)], "none");
  EXPECT_EQ(kStatusLabels[status_index(-1)], "none");
}

TEST(DurationHistogram, PutsABoundIntoItsOwnBucket) {
  DurationHistogram histogram;
  histogram.record(Nanoseconds(0));
  histogram.record(Nanoseconds(100'000));
  histogram.record(Nanoseconds(100'001));
  histogram.record(std::chrono::seconds(60));
  histogram.record(std::chrono::seconds(61));
  EXPECT_EQ(histogram.buckets[0].read(), 2U);
  EXPECT_EQ(histogram.buckets[1].read(), 1U);
  EXPECT_EQ(histogram.buckets[15].read(), 1U);
  EXPECT_EQ(histogram.buckets[16].read(), 1U);
}

TEST(Metrics, SumsOverLoops) {
  Metrics metrics(2);
  for (unsigned loop = 0; loop < 2; ++loop) {
    test::FakeExchange fake("POST", "/", loop);
    fake.exchange.record.status = 201;
    fake.exchange.record.request_bytes = 10;
    fake.exchange.record.response_bytes = 5;
    metrics.loop(loop).request_started();
    metrics.loop(loop).request_ended(fake.exchange, Nanoseconds(300'000));
  }
  metrics.loop(1).request_started();
  std::string text = page(metrics);
  EXPECT_THAT(text, HasSubstr("\nsandgate_requests_total{method=\"POST\",code=\"2xx\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("\nsandgate_requests_in_flight 1\n"));
  EXPECT_THAT(text, HasSubstr("\nsandgate_request_body_bytes_total 20\n"));
  EXPECT_THAT(text, HasSubstr("\nsandgate_response_body_bytes_total 10\n"));
  EXPECT_THAT(text, HasSubstr("\nsandgate_request_duration_seconds_bucket{le=\"0.00025\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("\nsandgate_request_duration_seconds_bucket{le=\"0.0005\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("\nsandgate_request_duration_seconds_bucket{le=\"+Inf\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("\nsandgate_request_duration_seconds_sum 0.000600000\n"));
  EXPECT_THAT(text, HasSubstr("\nsandgate_request_duration_seconds_count 2\n"));
}

TEST(Metrics, TellModulesApart) {
  modules::ModuleStore store;
  EXPECT_THAT(metrics_text({.modules = &store}, {}), Not(HasSubstr("sandgate_module_calls_total")));
  auto module = std::make_shared<modules::DeployedModule>();
  module->name = "auth";
  module->attach_points = {modules::AttachPoint::kOnRequest};
  modules::HookStats& stats = module->stats(modules::AttachPoint::kOnRequest);
  stats.decided(modules::Decision::kReject, Nanoseconds(2'000'000));
  stats.failed(sandbox::FailureKind::kTrap, Nanoseconds(10'000));
  stats.used_memory(65'536);
  stats.waited(Nanoseconds(5'000'000));
  modules::CountedInstance lives(stats);
  { modules::CountedInstance ended(stats); }
  store.total_stats().record(Nanoseconds(1), true);
  ASSERT_TRUE(store.add(module));
  std::string text = metrics_text({.modules = &store}, {});
  EXPECT_THAT(text, HasSubstr("\nsandgate_modules_deployed 1\n"));
  EXPECT_THAT(text, HasSubstr("\nsandgate_guest_calls_total{result=\"success\"} 1\n"));
  const std::string hook = R"({module="auth",attach_point="OnRequest")";
  for (const std::string& line : {
           "calls_total" + hook + R"(,outcome="continue"} 0)",
           "calls_total" + hook + R"(,outcome="reject"} 1)",
           "calls_total" + hook + R"(,outcome="trap"} 1)",
           "call_duration_seconds_bucket" + hook + R"(,le="0.00001"} 1)",
           "call_duration_seconds_bucket" + hook + R"(,le="0.0025"} 2)",
           "call_duration_seconds_bucket" + hook + R"(,le="+Inf"} 2)",
           "call_duration_seconds_sum" + hook + "} 0.002010000",
           "call_duration_seconds_count" + hook + "} 2",
           "memory_peak_bytes" + hook + "} 65536",
           "instances" + hook + "} 1",
           "waits_total" + hook + "} 1",
           "wait_seconds_total" + hook + "} 0.005000000",
       }) {
    EXPECT_THAT(text, HasSubstr("\nsandgate_module_" + line + "\n"));
  }
}

TEST(Metrics, AskTheServersForConnections) {
  std::string text = metrics_text({.connections = [] { return ConnectionCounts{.accepted = 9, .open = 4}; }}, {});
  EXPECT_THAT(text, HasSubstr("\nsandgate_connections_accepted_total 9\n"));
  EXPECT_THAT(text, HasSubstr("\nsandgate_connections_open 4\n"));
}

TEST(Metrics, AreWhatTheProcessUses) {
  ProcessUsage usage = read_process_usage();
  EXPECT_GT(usage.resident_bytes, 1'000'000U);
  EXPECT_GE(usage.open_files, 3U);
  EXPECT_LT(usage.open_files, 1000U);
  EXPECT_GE(usage.open_files_max, usage.open_files);
}

// Names and labels of one page, in the order that readers may rely on.
TEST(MetricsPage, IsAsItWas) {
  test::FakeExchange fake("GET", "/");
  fake.exchange.record.status = 200;
  Metrics metrics(1);
  metrics.loop(0).request_started();
  metrics.loop(0).request_ended(fake.exchange, std::chrono::seconds(3));
  std::string text =
      metrics_text({.metrics = &metrics, .build = {"1.0.0", "rev"}},
                   {.resident_bytes = 4096, .cpu_ns = 1'500'000'000, .open_files = 7, .open_files_max = 1024});
  std::size_t start = text.find("\nprocess_start_time_seconds ");
  ASSERT_NE(start, std::string::npos);
  text.erase(start, text.find('\n', start + 1) - start);
  EXPECT_EQ(text, R"(# HELP sandgate_build_info Version and revision of the server; always 1.
# TYPE sandgate_build_info gauge
sandgate_build_info{version="1.0.0",revision="rev"} 1
# HELP process_start_time_seconds Unix time of the server's start.
# TYPE process_start_time_seconds gauge
# HELP process_resident_memory_bytes Resident memory.
# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes 4096
# HELP process_cpu_seconds_total User and system CPU time.
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total 1.500000000
# HELP process_open_fds Open file descriptors.
# TYPE process_open_fds gauge
process_open_fds 7
# HELP process_max_fds Most file descriptors that may be open.
# TYPE process_max_fds gauge
process_max_fds 1024
# HELP sandgate_requests_total Requests answered, by method and class of the status.
# TYPE sandgate_requests_total counter
sandgate_requests_total{method="GET",code="2xx"} 1
# HELP sandgate_requests_in_flight Requests being served now.
# TYPE sandgate_requests_in_flight gauge
sandgate_requests_in_flight 0
# HELP sandgate_request_body_bytes_total Bytes of request bodies read.
# TYPE sandgate_request_body_bytes_total counter
sandgate_request_body_bytes_total 0
# HELP sandgate_response_body_bytes_total Bytes of response bodies sent.
# TYPE sandgate_response_body_bytes_total counter
sandgate_response_body_bytes_total 0
# HELP sandgate_request_duration_seconds Time from the end of a request's head to the end of its response.
# TYPE sandgate_request_duration_seconds histogram
sandgate_request_duration_seconds_bucket{le="0.0001"} 0
sandgate_request_duration_seconds_bucket{le="0.00025"} 0
sandgate_request_duration_seconds_bucket{le="0.0005"} 0
sandgate_request_duration_seconds_bucket{le="0.001"} 0
sandgate_request_duration_seconds_bucket{le="0.0025"} 0
sandgate_request_duration_seconds_bucket{le="0.005"} 0
sandgate_request_duration_seconds_bucket{le="0.01"} 0
sandgate_request_duration_seconds_bucket{le="0.025"} 0
sandgate_request_duration_seconds_bucket{le="0.05"} 0
sandgate_request_duration_seconds_bucket{le="0.1"} 0
sandgate_request_duration_seconds_bucket{le="0.25"} 0
sandgate_request_duration_seconds_bucket{le="0.5"} 0
sandgate_request_duration_seconds_bucket{le="1"} 0
sandgate_request_duration_seconds_bucket{le="2.5"} 0
sandgate_request_duration_seconds_bucket{le="10"} 1
sandgate_request_duration_seconds_bucket{le="60"} 1
sandgate_request_duration_seconds_bucket{le="+Inf"} 1
sandgate_request_duration_seconds_sum 3.000000000
sandgate_request_duration_seconds_count 1
)");
}

}  // namespace
}  // namespace sandgate::telemetry
