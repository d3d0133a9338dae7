// SPDX-License-Identifier: Apache-2.0
#include "telemetry/exposition.h"

#include <gtest/gtest.h>

#include <limits>

namespace sandgate::telemetry {
namespace {

TEST(Exposition, WritesFamiliesAndSamples) {
  Exposition out;
  out.family("a_total", MetricType::kCounter, "What it is.");
  out.sample({}, 1);
  out.sample({{"x", "1"}, {"y", "2"}}, std::numeric_limits<std::uint64_t>::max());
  out.family("b", MetricType::kHistogram, "Times.");
  out.sample({{"le", "+Inf"}}, 3, "_bucket");
  out.sample_seconds({}, 1'000'000'001, "_sum");
  EXPECT_EQ(out.take(),
            "# HELP a_total What it is.\n"
            "# TYPE a_total counter\n"
            "a_total 1\n"
            "a_total{x=\"1\",y=\"2\"} 18446744073709551615\n"
            "# HELP b Times.\n"
            "# TYPE b histogram\n"
            "b_bucket{le=\"+Inf\"} 3\n"
            "b_sum 1.000000001\n");
}

TEST(Exposition, EscapesLabelValues) {
  Exposition out;
  out.family("a", MetricType::kGauge, "x");
  out.sample({{"name", "q\"b\\n\nc\r\xff"}}, 1);
  EXPECT_EQ(out.take(),
            "# HELP a x\n"
            "# TYPE a gauge\n"
            "a{name=\"q\\\"b\\\\n\\nc??\"} 1\n");
}

}  // namespace
}  // namespace sandgate::telemetry
