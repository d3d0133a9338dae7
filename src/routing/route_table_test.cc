// SPDX-License-Identifier: Apache-2.0
#include "routing/route_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>

#include "base/arena.h"

namespace sandgate::routing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Is = FieldCondition::Test;
using Verdict = RouteTable::Verdict;

// "GET,POST api.example.com /path", methods and host may be left out.
RouteRule rule(std::string_view path, std::vector<std::string> methods = {}, std::string_view host = "*",
               std::vector<FieldCondition> fields = {}) {
  return {*HostPattern::parse(host), *PathPattern::parse(path), std::move(methods), std::move(fields)};
}

class RouteTableTest : public ::testing::Test {
 protected:
  http::RequestHead request(std::string_view method, std::string_view path, std::string_view host = "any") {
    http::RequestHead head(arena);
    head.method = method;
    head.path = path;
    head.authority = host;
    return head;
  }
  // The path of the route found, or why there is none.
  std::string found(const RouteTable& table, const http::RequestHead& head) {
    RouteTable::Match match = table.find(head);
    if (match.outcome == RouteTable::Outcome::kNoRoute) return "no route";
    if (match.outcome == RouteTable::Outcome::kNoMethod) return "no method";
    captured.assign(match.captures.values.data(), match.captures.values.data() + match.captures.count);
    const RouteRule& route = table.rules()[match.route];
    return (route.host.kind() == HostPattern::Kind::kAny ? "" : route.host.text()) + route.path.text();
  }
  std::string found(const RouteTable& table, std::string_view path) { return found(table, request("GET", path)); }

  Arena arena;
  std::vector<std::string> captured;
};

TEST_F(RouteTableTest, FindsNothingWhenItIsEmpty) { EXPECT_EQ(found(RouteTable({}), "/"), "no route"); }

TEST_F(RouteTableTest, PrefersLiteralsToParametersToTheRest) {
  RouteTable table({rule("/*all"), rule("/users/*rest"), rule("/users/:id"), rule("/users/me"),
                    rule("/users/:id/files"), rule("/users/me/*rest")});
  EXPECT_EQ(found(table, "/"), "/*all");
  EXPECT_EQ(found(table, "/users"), "/*all");
  EXPECT_EQ(found(table, "/users/"), "/users/*rest");
  EXPECT_EQ(found(table, "/users/me"), "/users/me");
  EXPECT_EQ(found(table, "/users/you"), "/users/:id");
  EXPECT_EQ(found(table, "/users/you/files"), "/users/:id/files");
  EXPECT_EQ(found(table, "/users/you/other"), "/users/*rest");
  EXPECT_EQ(found(table, "/users/me/files"), "/users/me/*rest");
}

TEST_F(RouteTableTest, GoesBackWhenTheMoreSpecificWayEndsNowhere) {
  RouteTable table({rule("/a/b/c"), rule("/a/:x/d"), rule("/:y/b/e")});
  EXPECT_EQ(found(table, "/a/b/c"), "/a/b/c");
  EXPECT_EQ(found(table, "/a/b/d"), "/a/:x/d");
  EXPECT_THAT(captured, ElementsAre("b"));
  EXPECT_EQ(found(table, "/a/b/e"), "/:y/b/e");
  EXPECT_THAT(captured, ElementsAre("a"));
  EXPECT_EQ(found(table, "/a/b/f"), "no route");
}

TEST_F(RouteTableTest, CapturesParametersAndTheRest) {
  RouteTable table({rule("/:tenant/files/*path")});
  EXPECT_EQ(found(table, "/acme/files/a/b%2Fc"), "/:tenant/files/*path");
  EXPECT_THAT(captured, ElementsAre("acme", "a/b%2Fc"));
  EXPECT_EQ(found(table, "/acme/files/"), "/:tenant/files/*path");
  EXPECT_THAT(captured, ElementsAre("acme", ""));
  EXPECT_EQ(found(table, "//files/x"), "no route");
}

TEST_F(RouteTableTest, TellsASlashAtTheEndApart) {
  RouteTable table({rule("/a"), rule("/b/")});
  EXPECT_EQ(found(table, "/a/"), "no route");
  EXPECT_EQ(found(table, "/b"), "no route");
  EXPECT_EQ(found(table, "/b/"), "/b/");
}

TEST_F(RouteTableTest, PrefersTheNearerHost) {
  RouteTable table({rule("/x"), rule("/x", {}, "*.example.com"), rule("/x", {}, "*.api.example.com"),
                    rule("/x", {}, "a.api.example.com"), rule("/y")});
  EXPECT_EQ(found(table, request("GET", "/x", "A.API.example.com:80")), "a.api.example.com/x");
  EXPECT_EQ(found(table, request("GET", "/x", "b.api.example.com")), "*.api.example.com/x");
  EXPECT_EQ(found(table, request("GET", "/x", "api.example.com")), "*.example.com/x");
  EXPECT_EQ(found(table, request("GET", "/x", "example.com")), "/x");
  EXPECT_EQ(found(table, request("GET", "/x", "notexample.com")), "/x");
  EXPECT_EQ(found(table, request("GET", "/y", "a.api.example.com")), "/y");
}

TEST_F(RouteTableTest, LooksAtMethods) {
  RouteTable table({rule("/a", {"GET"}), rule("/a", {"POST", "PUT"}), rule("/:x", {"DELETE"}), rule("/open")});
  EXPECT_EQ(found(table, request("GET", "/a")), "/a");
  EXPECT_EQ(found(table, request("HEAD", "/a")), "/a");
  EXPECT_EQ(found(table, request("DELETE", "/a")), "/:x");
  EXPECT_EQ(found(table, request("PATCH", "/a")), "no method");
  EXPECT_EQ(table.allowed_methods(request("PATCH", "/a")), "GET, HEAD, POST, PUT, DELETE");
  EXPECT_EQ(found(table, request("ANY", "/open")), "/open");
  EXPECT_EQ(found(table, request("GET", "/other/path")), "no route");
}

TEST_F(RouteTableTest, ARouteWithMethodsGoesBeforeOneWithout) {
  RouteTable table({rule("/a"), rule("/a", {"POST"})});
  EXPECT_EQ(table.find(request("POST", "/a")).route, 1U);
  EXPECT_EQ(table.find(request("GET", "/a")).route, 0U);
}

TEST_F(RouteTableTest, LooksAtFields) {
  FieldCondition beta{"x-version", Is::kEquals, "beta"};
  FieldCondition debug{"x-debug", Is::kPresent, ""};
  RouteTable table({rule("/a"), rule("/a", {}, "*", {beta}), rule("/a", {}, "*", {beta, debug}),
                    rule("/b", {}, "*", {{"x-debug", Is::kAbsent, ""}})});
  http::RequestHead head = request("GET", "/a");
  EXPECT_EQ(table.find(head).route, 0U);
  head.fields.add("X-Version", "other");
  EXPECT_EQ(table.find(head).route, 0U);
  head.fields.add("X-Version", "beta");
  EXPECT_EQ(table.find(head).route, 1U);
  head.fields.add("X-Debug", "");
  EXPECT_EQ(table.find(head).route, 2U);
  http::RequestHead other = request("GET", "/b");
  EXPECT_EQ(found(table, other), "/b");
  other.fields.add("x-debug", "1");
  EXPECT_EQ(found(table, other), "no route");
}

TEST_F(RouteTableTest, AMethodThatOnlyOtherFieldsForbidIsNoRoute) {
  RouteTable table({rule("/a", {"GET"}, "*", {{"x-version", Is::kEquals, "beta"}})});
  EXPECT_EQ(found(table, request("POST", "/a")), "no route");
}

std::size_t conflicts(std::initializer_list<RouteRule> rules) { return RouteTable::conflicts(rules).size(); }

TEST(RouteConflicts, AreRoutesOfWhichNeitherIsMoreSpecific) {
  FieldCondition one{"x", Is::kEquals, "1"};
  FieldCondition two{"x", Is::kEquals, "2"};
  FieldCondition other{"y", Is::kPresent, ""};
  FieldCondition absent{"y", Is::kAbsent, ""};
  EXPECT_EQ(conflicts({rule("/a"), rule("/a")}), 1U);
  EXPECT_EQ(conflicts({rule("/:a"), rule("/:b")}), 1U);
  EXPECT_EQ(conflicts({rule("/a", {"GET"}), rule("/a", {"HEAD"})}), 1U);
  EXPECT_EQ(conflicts({rule("/a", {"GET", "POST"}), rule("/a", {"POST"})}), 1U);
  EXPECT_EQ(conflicts({rule("/a", {}, "*", {one}), rule("/a", {}, "*", {other})}), 1U);
  EXPECT_EQ(conflicts({rule("/a", {"GET"}), rule("/a", {"POST"})}), 0U);
  EXPECT_EQ(conflicts({rule("/a"), rule("/a", {"POST"})}), 0U);
  EXPECT_EQ(conflicts({rule("/a"), rule("/a", {}, "b.example")}), 0U);
  EXPECT_EQ(conflicts({rule("/a", {}, "*", {one}), rule("/a", {}, "*", {two})}), 0U);
  EXPECT_EQ(conflicts({rule("/a", {}, "*", {absent}), rule("/a", {}, "*", {other})}), 0U);
  EXPECT_EQ(conflicts({rule("/a", {}, "*", {one}), rule("/a", {}, "*", {one, other})}), 0U);
  EXPECT_EQ(conflicts({rule("/a"), rule("/a/")}), 0U);
  RouteTable::Conflict named = RouteTable::conflicts({rule("/b"), rule("/a"), rule("/a")})[0];
  EXPECT_EQ(named.first, 1U);
  EXPECT_EQ(named.second, 2U);
}

TEST_F(RouteTableTest, TellsWhatElseWouldServe) {
  RouteTable table({rule("/*rest"), rule("/a", {"POST"}), rule("/a", {}, "*", {{"x", Is::kPresent, ""}}),
                    rule("/:id", {"GET"}), rule("/other")});
  std::vector<RouteTable::Candidate> all = table.candidates(request("GET", "/a"));
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[0].route, 2U);
  EXPECT_EQ(all[0].verdict, Verdict::kOtherFields);
  EXPECT_EQ(all[1].verdict, Verdict::kOtherMethod);
  EXPECT_EQ(all[2].route, 3U);
  EXPECT_EQ(all[2].verdict, Verdict::kServes);
  EXPECT_EQ(all[3].verdict, Verdict::kWouldServe);
  EXPECT_THAT(table.candidates(request("GET", "*")), IsEmpty());
}

TEST_F(RouteTableTest, HoldsManyRoutes) {
  std::vector<RouteRule> rules;
  for (int i = 0; i < 1000; ++i) rules.push_back(rule("/service" + std::to_string(i) + "/:id"));
  EXPECT_THAT(RouteTable::conflicts(rules), IsEmpty());
  RouteTable table(std::move(rules));
  for (int i : {0, 1, 499, 999})
    EXPECT_EQ(table.find(request("GET", arena.copy("/service" + std::to_string(i) + "/7"))).route,
              static_cast<std::size_t>(i));
}

}  // namespace
}  // namespace sandgate::routing
