// SPDX-License-Identifier: Apache-2.0
#include "admin/wasm_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace sandgate::admin {
namespace {

using modules::AttachPoint;
using testing::HasSubstr;

TEST(DeployReport, EchoesEachModuleWithItsResult) {
  std::vector<DeployOutcome> outcomes;
  outcomes.push_back({{"auth", "/a.wasm", {AttachPoint::kOnRequest, AttachPoint::kOnResponse}}, "uuid-1"});
  outcomes.push_back({{"a\"b", "/b\n.wasm", {}}, fail(ErrorKind::kInvalid, "no \"such\" file", "hidden cause")});
  EXPECT_EQ(deploy_report(outcomes),
            R"({"modules":[{"name":"auth","file_path":"/a.wasm","module_type":"Middleware",)"
            R"("attach_points":[{"Middleware":"OnRequest"},{"Middleware":"OnResponse"}],)"
            R"("body":true,"instance":"fresh","on_failure":null,"add_result":{"Success":"uuid-1"}},)"
            R"({"name":"a\"b","file_path":"/b\n.wasm","module_type":"Middleware","attach_points":[],)"
            R"("body":true,"instance":"fresh","on_failure":null,"add_result":{"Error":"no \"such\" file"}}]})"
            "\n");
}

TEST(DeployReport, OfNothingIsAnEmptyArray) { EXPECT_EQ(deploy_report({}), "{\"modules\":[]}\n"); }

TEST(ModuleReport, HasTheShapeOfTheSeed) {
  auto module = std::make_shared<modules::DeployedModule>();
  module->uuid = "11111111-2222-4333-8444-555555555555";
  module->name = "auth";
  module->file_path = "/modules/auth.wasm";
  module->sha256_hex = "abcd";
  module->size_bytes = 4096;
  module->created_unix_ns = 1'767'323'045'123'456'789;
  module->counters->last_accessed_unix_ns = 1'767'323'046'000'000'000;
  module->counters->access_count = 7;
  module->attach_points = {AttachPoint::kOnRequest};
  modules::Snapshot snapshot;
  snapshot.all.push_back(module);
  modules::ExecutionTotals totals{
      .executions = 4, .successes = 3, .failures = 1, .total_ns = 5'000'000, .max_ns = 2'500'100};
  EXPECT_EQ(module_report(snapshot, totals),
            R"({"modules":[{"module_uuid":"11111111-2222-4333-8444-555555555555","module_meta":{"name":"auth",)"
            R"("file_path":"/modules/auth.wasm","sha256_hash":"abcd","size_bytes":4096,)"
            R"("created_at":"2026-01-02T03:04:05.123456789Z","last_accessed_at":"2026-01-02T03:04:06.000000000Z",)"
            R"("access_count":7,"attach_points":[{"Middleware":"OnRequest"}],)"
            R"("body":true,"instance":"fresh","on_failure":null,"owner":"api"}}],)"
            R"("metrics":{"total_executions":4,"successful_executions":3,"failed_executions":1,)"
            R"("total_execution_time_ms":5,"max_execution_time_ms":2.5001,"average_execution_time_ms":1.25}})"
            "\n");
}

TEST(ModuleReport, ShowsOptionsButNoValuesOfSettings) {
  auto module = std::make_shared<modules::DeployedModule>();
  module->options = {.body = false,
                     .on_failure = modules::OnFailure::kOpen,
                     .instance = modules::InstanceMode::kReuse,
                     .config = std::vector<std::pair<std::string, std::string>>{{"api_key", "hush"}, {"limit", "60"}},
                     .key_value = {"counters"}};
  modules::Snapshot snapshot;
  snapshot.all.push_back(module);
  std::string report = module_report(snapshot, {});
  EXPECT_THAT(report, HasSubstr(R"(,"body":false,"instance":"reuse","reuse":{"max_calls":1000,"max_age_s":60},)"
                                R"("on_failure":"open","config":["api_key","limit"],)"
                                R"("allow":{"key_value":["counters"]},"owner":"api"})"));
  EXPECT_THAT(report, testing::Not(HasSubstr("hush")));
}

TEST(ModuleReport, GivesAnAverageOfZeroWithoutExecutions) {
  EXPECT_EQ(module_report({}, {}),
            R"({"modules":[],"metrics":{"total_executions":0,"successful_executions":0,"failed_executions":0,)"
            R"("total_execution_time_ms":0,"max_execution_time_ms":0,"average_execution_time_ms":0.0}})"
            "\n");
}

TEST(ModuleReport, DoesNotLoseShortCalls) {
  modules::ExecutionTotals totals{.executions = 1, .successes = 1, .total_ns = 2'037, .max_ns = 2'037};
  EXPECT_THAT(
      module_report({}, totals),
      HasSubstr(
          R"("total_execution_time_ms":0.002037,"max_execution_time_ms":0.002037,"average_execution_time_ms":0.002037)"));
}

TEST(ModuleReport, SaysCreatedForAModuleThatNeverRan) {
  auto module = std::make_shared<modules::DeployedModule>();
  module->created_unix_ns = 1'000'000'000;
  modules::Snapshot snapshot;
  snapshot.all.push_back(module);
  EXPECT_THAT(module_report(snapshot, {}), HasSubstr(R"("last_accessed_at":"1970-01-01T00:00:01.000000000Z")"));
}

}  // namespace
}  // namespace sandgate::admin
