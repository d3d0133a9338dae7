// SPDX-License-Identifier: Apache-2.0
#include "admin/deploy_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace sandgate::admin {
namespace {

using modules::AttachPoint;
using testing::ElementsAre;
using testing::StartsWith;

// The body of one module with these members.
std::string body(const std::string& members) { return R"({"modules":[{)" + members + "}]}"; }

constexpr std::string_view kSeed = R"({
    "modules": [{
      "name": "my-middleware",
      "file_path": "/path/to/my-component.component.wasm",
      "module_type": "Middleware",
      "attach_points": [{"Middleware": "OnRequest"}]
    }]
  })";

TEST(DeployRequest, ReadsTheExampleOfTheSeed) {
  auto modules = parse_deploy_request(kSeed);
  ASSERT_TRUE(modules.has_value());
  ASSERT_EQ(modules->size(), 1U);
  EXPECT_EQ(modules->at(0).name, "my-middleware");
  EXPECT_EQ(modules->at(0).file_path, "/path/to/my-component.component.wasm");
  EXPECT_THAT(modules->at(0).attach_points, ElementsAre(AttachPoint::kOnRequest));
}

TEST(DeployRequest, KeepsTheOrder) {
  auto modules = parse_deploy_request(
      R"({"modules":[{"name":"b","file_path":"","module_type":"Middleware","attach_points":[{"Middleware":"OnResponse"},)"
      R"({"Middleware":"OnError"},{"Middleware":"OnRequest"}]},)"
      R"({"name":"a","file_path":"","module_type":"Middleware","attach_points":[]}]})");
  ASSERT_TRUE(modules.has_value());
  EXPECT_EQ(modules->at(0).name, "b");
  EXPECT_THAT(modules->at(0).attach_points,
              ElementsAre(AttachPoint::kOnResponse, AttachPoint::kOnError, AttachPoint::kOnRequest));
  EXPECT_EQ(modules->at(1).name, "a");
  EXPECT_THAT(modules->at(1).attach_points, ElementsAre());
}

TEST(DeployRequest, IgnoresWhatItDoesNotKnow) {
  auto modules = parse_deploy_request(
      R"({"extra":{"deep":[1,[2]]},"modules":[{"name":"a","file_path":"/a","module_type":"Middleware","attach_points":[],)"
      R"("add_result":{"Success":"x"},"version":3}]})");
  ASSERT_TRUE(modules.has_value());
  EXPECT_EQ(modules->at(0).name, "a");
}

TEST(DeployRequest, TakesNoModules) {
  auto modules = parse_deploy_request(R"({"modules":[]})");
  ASSERT_TRUE(modules.has_value());
  EXPECT_TRUE(modules->empty());
}

TEST(DeployRequest, RefusesWhatIsNoJson) {
  for (const char* text : {"", " ", "{", "modules", "{\"modules\":[]} x", "{\"modules\":[],}", "{'modules':[]}", "\xff",
                           "{\"modules\":[\"\xff\"]}", "// comment\n{\"modules\":[]}", "[1,2"}) {
    auto modules = parse_deploy_request(text);
    ASSERT_FALSE(modules) << text;
    EXPECT_EQ(modules.error().status, 400) << text;
    EXPECT_THAT(modules.error().detail, StartsWith("The body is not valid JSON: "));
  }
}

TEST(DeployRequest, RefusesDeepNesting) {
  std::string deep(10'000, '[');
  EXPECT_EQ(parse_deploy_request(deep + std::string(10'000, ']')).error().status, 400);
}

TEST(DeployRequest, NamesTheMemberThatIsWrong) {
  const std::string rest = R"("file_path":"/a.wasm","module_type":"Middleware","attach_points":[])";
  struct Case {
    std::string text;
    std::string detail;
  };
  const Case cases[] = {
      {"[]", "body: expected an object"},
      {"null", "body: expected an object"},
      {"{}", "modules: missing"},
      {R"({"modules":{}})", "modules: expected an array"},
      {R"({"modules":null})", "modules: expected an array"},
      {R"({"modules":[1]})", "modules[0]: expected an object"},
      {body(rest), "modules[0].name: missing"},
      {body(R"("name":1,)" + rest), "modules[0].name: expected a string"},
      {body(R"("name":null,)" + rest), "modules[0].name: expected a string"},
      {body(R"("name":"a","module_type":"Middleware","attach_points":[])"), "modules[0].file_path: missing"},
      {body(R"("name":"a","file_path":"/a","attach_points":[])"), "modules[0].module_type: missing"},
      {body(R"("name":"a","file_path":"/a","module_type":"Filter","attach_points":[])"),
       R"(modules[0].module_type: expected "Middleware")"},
      {body(R"("name":"a","file_path":"/a","module_type":"middleware","attach_points":[])"),
       R"(modules[0].module_type: expected "Middleware")"},
      {body(R"("name":"a","file_path":"/a","module_type":"Middleware")"), "modules[0].attach_points: missing"},
      {body(R"("name":"a","file_path":"/a","module_type":"Middleware","attach_points":"OnRequest")"),
       "modules[0].attach_points: expected an array"},
      {body(R"("name":"a","file_path":"/a","module_type":"Middleware","attach_points":["OnRequest"])"),
       R"(modules[0].attach_points[0]: expected {"Middleware": "OnRequest"})"},
      {body(R"("name":"a","file_path":"/a","module_type":"Middleware","attach_points":[{"Middleware":"OnRequest"},)"
            R"({"Middleware":"onrequest"}])"),
       R"(modules[0].attach_points[1]: expected {"Middleware": "OnRequest"})"},
      {body(
           R"("name":"a","file_path":"/a","module_type":"Middleware","attach_points":[{"Middleware":"OnRequest","X":1}])"),
       "modules[0].attach_points[0]: expected"},
      {body(R"("name":"a","file_path":"/a","module_type":"Middleware","attach_points":[{}])"),
       "modules[0].attach_points[0]: expected"},
      {R"({"modules":[{"name":"a","file_path":"/a","module_type":"Middleware","attach_points":[]},{}]})",
       "modules[1].name: missing"},
  };
  for (const Case& c : cases) {
    auto modules = parse_deploy_request(c.text);
    ASSERT_FALSE(modules) << c.text;
    EXPECT_EQ(modules.error().status, 422) << c.text;
    EXPECT_THAT(modules.error().detail, StartsWith(c.detail));
  }
}

TEST(DeployRequest, HasABoundOnModules) {
  std::string one = R"({"name":"a","file_path":"/a","module_type":"Middleware","attach_points":[]})";
  std::string text = R"({"modules":[)" + one;
  for (std::size_t i = 1; i < modules::ModuleStore::kModulesMax; ++i) text += "," + one;
  EXPECT_TRUE(parse_deploy_request(text + "]}").has_value());
  auto more = parse_deploy_request(text + "," + one + "]}");
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().status, 422);
  EXPECT_THAT(more.error().detail, StartsWith("modules: expected at most 1024"));
}

}  // namespace
}  // namespace sandgate::admin
