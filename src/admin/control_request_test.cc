// SPDX-License-Identifier: Apache-2.0
#include "admin/control_request.h"

#include <gtest/gtest.h>

#include <string>

namespace sandgate::admin {
namespace {

using Resource = ControlTarget::Resource;

TEST(ControlTarget, NamesEveryResource) {
  EXPECT_EQ(parse_control_target("/config").resource, Resource::kConfig);
  EXPECT_EQ(parse_control_target("/config/reload").resource, Resource::kReload);
  EXPECT_EQ(parse_control_target("/log-level").resource, Resource::kLogLevel);
  EXPECT_EQ(parse_control_target("/modules").resource, Resource::kModules);
  EXPECT_EQ(parse_control_target("/modules/auth").rest, "/auth");
  EXPECT_EQ(parse_control_target("/upstreams").resource, Resource::kUpstreams);
  ControlTarget upstream = parse_control_target("/upstreams/workers");
  EXPECT_EQ(upstream.resource, Resource::kUpstream);
  EXPECT_EQ(upstream.upstream, "workers");
  ControlTarget server = parse_control_target("/upstreams/workers/servers/[::1]:80");
  EXPECT_EQ(server.resource, Resource::kServer);
  EXPECT_EQ(server.upstream, "workers");
  EXPECT_EQ(server.server, "[::1]:80");
}

TEST(ControlTarget, IsNothingElse) {
  for (const char* path : {"", "/", "config", "/config/", "/config/reload/now", "/log-level/", "/modulesx", "/upstream",
                           "/upstreamsx/a", "/other"})
    EXPECT_EQ(parse_control_target(path).resource, Resource::kNone) << path;
}

TEST(ControlRequest, AChangeOfAServerSaysWhatChanges) {
  EXPECT_EQ(parse_server_change(R"({"draining":true})")->draining, true);
  EXPECT_EQ(parse_server_change(R"({"draining":true})")->weight, std::nullopt);
  EXPECT_EQ(parse_server_change(R"({"weight":0})")->weight, 0U);
  EXPECT_EQ(parse_server_change(R"({"weight":1000000, "draining":false})")->weight, kWeightMax);
}

TEST(ControlRequest, RefusesOtherChanges) {
  for (const char* body : {"{}", "[]", "1", R"({"weight":-1})", R"({"weight":1000001})", R"({"weight":1.5})",
                           R"({"weight":"1"})", R"({"weight":18446744073709551615})", R"({"draining":1})",
                           R"({"draining":null})", R"({"wight":1})", R"({"weight":1,"x":1})"}) {
    auto change = parse_server_change(body);
    ASSERT_FALSE(change) << body;
    EXPECT_EQ(change.error().status, 422) << body;
  }
  for (const std::string& body :
       {std::string(), std::string("{"), std::string("{\"weight\":1}x"), std::string("\xff"), std::string(4096, '[')}) {
    auto change = parse_server_change(body);
    ASSERT_FALSE(change) << body;
    EXPECT_EQ(change.error().status, 400) << body;
  }
}

TEST(ControlRequest, LevelsHaveNames) {
  for (log::Level level :
       {log::Level::kDebug, log::Level::kInfo, log::Level::kWarning, log::Level::kError, log::Level::kOff}) {
    auto parsed = parse_log_level("{\"level\":\"" + std::string(log_level_name(level)) + "\"}");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(*parsed, level);
  }
  for (const char* body : {R"({"level":"loud"})", R"({"level":1})", "{}", "[]"})
    EXPECT_EQ(parse_log_level(body).error().status, 422) << body;
  EXPECT_EQ(parse_log_level("loud").error().status, 400);
}

}  // namespace
}  // namespace sandgate::admin
