// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sandgate/guest/testkit.h>
#include <sandgate/middleware.h>
#include <sandgate/string.h>

#include <algorithm>
#include <string>
#include <type_traits>
#include <vector>

namespace sandgate::guest {
namespace {

using testkit::make_headers;

class MiddlewareTest : public ::testing::Test {
 protected:
  MiddlewareTest() { memory().reset(); }
};

using HeadersTest = MiddlewareTest;
using ActionTest = MiddlewareTest;
using TextTest = MiddlewareTest;

std::vector<std::string> values(Headers headers) {
  std::vector<std::string> out;
  for (const Header header : headers) out.emplace_back(header.value);
  return out;
}

TEST_F(HeadersTest, FindsTheFirstLineWithoutRegardToCase) {
  const Headers headers = make_headers({{"accept", "a"}, {"X-Key", "1"}, {"x-key", "2"}});
  EXPECT_EQ(headers.find("x-KEY"), "1");
  EXPECT_EQ(headers.find("x-ke"), std::nullopt);
  EXPECT_EQ(headers.find("x-keys"), std::nullopt);
  EXPECT_EQ(headers.find(""), std::nullopt);
}

TEST_F(HeadersTest, IteratesOverAllLinesInOrder) {
  const Headers headers = make_headers({{"a", "1"}, {"b", "2"}, {"a", "3"}});
  EXPECT_EQ(values(headers), (std::vector<std::string>{"1", "2", "3"}));
  EXPECT_EQ(headers.size(), 3u);
  EXPECT_EQ(std::ranges::count(headers, "a", &Header::name), 2);
}

TEST_F(HeadersTest, IteratesOverTheLinesOfOneName) {
  const Headers headers = make_headers({{"cookie", "1"}, {"b", "2"}, {"Cookie", "3"}, {"c", "4"}});
  EXPECT_EQ(values(headers.named("COOKIE")), (std::vector<std::string>{"1", "3"}));
  EXPECT_TRUE(headers.named("none").empty());
}

TEST_F(HeadersTest, AMessageWithoutFieldsIsEmpty) {
  EXPECT_TRUE(Headers().empty());
  EXPECT_EQ(Headers().find("a"), std::nullopt);
  EXPECT_EQ(make_headers({}).size(), 0u);
}

TEST_F(HeadersTest, AFieldWithoutAValueIsThere) { EXPECT_EQ(make_headers({{"x-flag", ""}}).find("x-flag"), ""); }

TEST_F(ActionTest, ProceedChangesNothing) { EXPECT_TRUE(testkit::passes_unchanged(proceed())); }

TEST_F(ActionTest, RejectCarriesItsStatus) {
  EXPECT_EQ(testkit::rejected_with(reject(418)), 418);
  EXPECT_EQ(testkit::rejected_with(proceed()), std::nullopt);
}

TEST_F(ActionTest, ARejectionStaysARejection) {
  Action action = reject(403);
  action.set_header("x-a", "1");
  EXPECT_EQ(testkit::rejected_with(action), 403);
}

TEST_F(ActionTest, EditsChain) {
  const Action action = proceed().set_header("x-set", "1").add_header("x-add", "2").remove_header("x-remove").body("b");
  EXPECT_EQ(testkit::set_value(action, "x-set"), "1");
  EXPECT_EQ(testkit::added_value(action, "x-add"), "2");
  EXPECT_TRUE(testkit::removes(action, "x-remove"));
  EXPECT_EQ(testkit::new_body(action), "b");
  EXPECT_EQ(action.lowered().modify.has_status, 0);
}

TEST_F(ActionTest, EditsOfANamedActionStay) {
  Action action = proceed();
  action.status(204);
  action.set_header("x-a", "1");
  EXPECT_EQ(action.lowered().tag, canonical::Tag::modify);
  EXPECT_EQ(action.lowered().modify.status, 204);
  EXPECT_EQ(testkit::set_value(action, "x-a"), "1");
}

TEST_F(ActionTest, AnEmptyBodyIsANewBody) { EXPECT_EQ(testkit::new_body(proceed().body("")), ""); }

TEST_F(ActionTest, KeepsTheOrderOfManyEdits) {
  Action action = proceed();
  for (int i = 0; i != 1000; ++i) action.add_header(concat("x-", i), decimal(i));
  const canonical::List<canonical::Header>& added = action.lowered().modify.headers_add;
  ASSERT_EQ(added.size, 1000u);
  for (std::uint32_t i = 0; i != added.size; ++i) {
    ASSERT_EQ(testkit::lift(added.data[i].name), "x-" + std::to_string(i));
    ASSERT_EQ(testkit::lift(added.data[i].value), std::to_string(i));
  }
}

TEST_F(ActionTest, TakesTemporaries) {
  Action action = proceed();
  {
    std::string value(100, 'a');
    action.set_header(std::string("x-") + "name", value).body(value);
    value.assign(100, 'b');
  }
  EXPECT_EQ(testkit::set_value(action, "x-name"), std::string(100, 'a'));
  EXPECT_EQ(testkit::new_body(action), std::string(100, 'a'));
}

TEST_F(ActionTest, DoesNotCopyWhatLivesInTheMemoryOfTheCall) {
  char* const body = allocate_text(1 << 20);
  const Action action = proceed().body({body, 1 << 20});
  EXPECT_EQ(action.lowered().modify.body.data, body);
}

TEST_F(ActionTest, CannotBeCopied) {
  EXPECT_FALSE(std::is_copy_constructible_v<Action>);
  EXPECT_TRUE(std::is_move_constructible_v<Action>);
}

TEST_F(TextTest, WritesDecimals) {
  EXPECT_EQ(decimal(0), "0");
  EXPECT_EQ(decimal(-1), "-1");
  EXPECT_EQ(decimal(UINT64_MAX), "18446744073709551615");
  EXPECT_EQ(decimal(INT64_MIN), "-9223372036854775808");
  EXPECT_EQ(decimal(static_cast<std::uint16_t>(65535)), "65535");
}

TEST_F(TextTest, ConcatenatesTextsAndNumbers) {
  EXPECT_EQ(concat("user:", 42, "/", std::string_view()), "user:42/");
  EXPECT_EQ(concat(), "");
}

TEST_F(TextTest, ComparesNamesWithoutCaseInAsciiOnly) {
  EXPECT_TRUE(equal_ignoring_case("Content-TYPE", "content-type"));
  EXPECT_FALSE(equal_ignoring_case("a", "ab"));
  EXPECT_FALSE(equal_ignoring_case("@", "`"));
  EXPECT_FALSE(equal_ignoring_case("\xc3\x84", "\xc3\xa4"));
}

TEST_F(TextTest, ComparesSecretsWhole) {
  EXPECT_TRUE(equal_constant_time("secret", "secret"));
  EXPECT_FALSE(equal_constant_time("secret", "Secret"));
  EXPECT_FALSE(equal_constant_time("secret", "secreT"));
  EXPECT_FALSE(equal_constant_time("secret", "secre"));
  EXPECT_FALSE(equal_constant_time("", "s"));
  EXPECT_TRUE(equal_constant_time("", ""));
}

Action seen(const Request& request) { return proceed().set_header("x-path", request.path); }
Action shown(const Response& response) { return proceed().status(response.status); }
SANDGATE_ON_REQUEST(seen)
SANDGATE_ON_RESPONSE(shown)

}  // namespace
}  // namespace sandgate::guest
