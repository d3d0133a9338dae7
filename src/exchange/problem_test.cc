// SPDX-License-Identifier: Apache-2.0
#include "exchange/problem.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/fake_exchange.h"

namespace sandgate {
namespace {

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(JsonString, EscapesQuotesBackslashesAndControlBytes) {
  EXPECT_EQ(json_string("a\"b\\c"), "a\\\"b\\\\c");
  EXPECT_EQ(json_string("\r\n\t"), "\\r\\n\\t");
  EXPECT_EQ(json_string(std::string_view("\0\x1f\x7f", 3)), "\\u0000\\u001f\\u007f");
  EXPECT_EQ(json_string(""), "");
}

TEST(JsonString, KeepsWellFormedUtf8) {
  for (std::string_view text : {"\xc2\x80", "\xc3\xa9", "\xe0\xa0\x80", "\xe2\x82\xac", "\xed\x9f\xbf", "\xee\x80\x80",
                                "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "a\xc3\xa9z"}) {
    EXPECT_EQ(json_string(text), text);
  }
}

TEST(JsonString, ReplacesWhatIsNoUtf8) {
  const std::string replacement = "\xef\xbf\xbd";
  struct Case {
    std::string_view text;
    std::size_t replacements;
  };
  const Case cases[] = {
      {"\x80", 1},              // a continuation alone
      {"\xc3", 1},              // cut after the lead
      {"\xc0\x80", 2},          // overlong
      {"\xe0\x9f\xbf", 3},      // overlong
      {"\xed\xa0\x80", 3},      // a surrogate
      {"\xe2\x82", 1},          // cut: one for the whole prefix
      {"\xf0\x90\x80", 1},      // cut
      {"\xf4\x90\x80\x80", 4},  // above 0x10ffff
      {"\xf8\x88\x80\x80", 4},  // no lead
      {"\xff\xfe", 2},
  };
  for (const Case& c : cases) {
    std::string expected;
    for (std::size_t i = 0; i < c.replacements; ++i) expected += replacement;
    EXPECT_EQ(json_string(c.text), expected) << testing::PrintToString(c.text);
    EXPECT_EQ(json_string(std::string(c.text) + "z"), expected + "z") << testing::PrintToString(c.text);
  }
}

TEST(ProblemJson, HasTheMembersOfTheRfcAndOfTheSeed) {
  Problem problem{.status = 404, .error = "not_found", .detail = "No \"such\" thing"};
  EXPECT_EQ(problem_json(problem, "id-1"),
            R"({"type":"about:blank","title":"Not Found","status":404,"detail":"No \"such\" thing",)"
            R"("request_id":"id-1","error":"not_found","message":"No \"such\" thing"})"
            "\n");
}

TEST(ProblemJson, LeavesOutWhatIsEmpty) {
  EXPECT_EQ(problem_json({.status = 500}, ""),
            "{\"type\":\"about:blank\",\"title\":\"Internal Server Error\",\"status\":500}\n");
}

TEST(ErrorStatus, OfEveryKind) {
  EXPECT_EQ(status_of(ErrorKind::kInvalid), 400);
  EXPECT_EQ(status_of(ErrorKind::kDenied), 403);
  EXPECT_EQ(status_of(ErrorKind::kNotFound), 404);
  EXPECT_EQ(status_of(ErrorKind::kTooLarge), 413);
  EXPECT_EQ(status_of(ErrorKind::kOverloaded), 503);
  EXPECT_EQ(status_of(ErrorKind::kTimedOut), 504);
  EXPECT_EQ(status_of(ErrorKind::kDisconnected), 502);
  EXPECT_EQ(status_of(ErrorKind::kUpstream), 502);
  EXPECT_EQ(status_of(ErrorKind::kGuestFault), 503);
  EXPECT_EQ(status_of(ErrorKind::kUnsupported), 501);
  EXPECT_EQ(status_of(ErrorKind::kInternal), 500);
}

TEST(Respond, SendsOneCompleteResponse) {
  test::FakeExchange fake;
  http::Fields extra(fake.arena);
  extra.add("x-more", "yes");
  Status done = test::run(fake.loop, respond(fake.exchange, 201, "text/plain", "made", &extra));
  EXPECT_TRUE(done);
  EXPECT_EQ(fake.sent().status, 201);
  EXPECT_EQ(fake.sent().field("content-type"), "text/plain");
  EXPECT_EQ(fake.sent().field("x-more"), "yes");
  EXPECT_EQ(fake.sent().length, 4U);
  EXPECT_EQ(fake.sent().body, "made");
  EXPECT_TRUE(fake.sent().finished);
  EXPECT_EQ(fake.exchange.record.status, 201);
}

TEST(Respond, SendsNoBodyWithAStatusThatForbidsOne) {
  test::FakeExchange fake;
  Status done = test::run(fake.loop, respond(fake.exchange, 204, {}, "ignored"));
  EXPECT_TRUE(done);
  EXPECT_EQ(fake.sent().body, "");
  EXPECT_FALSE(fake.sent().has_field("content-type"));
}

TEST(Respond, TellsThatTheClientLeft) {
  for (int calls = 0; calls < 3; ++calls) {
    test::FakeExchange fake;
    fake.sink.fail_after = calls;
    Status done = test::run(fake.loop, respond(fake.exchange, 200, "text/plain", "body"));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, ErrorKind::kDisconnected);
  }
}

TEST(RespondProblem, CarriesTheFieldsOfItsStatus) {
  test::FakeExchange fake;
  Problem problem{.status = 405, .error = "method_not_allowed", .detail = "no", .allow = "GET, HEAD"};
  EXPECT_TRUE(test::run(fake.loop, respond_problem(fake.exchange, problem)));
  EXPECT_EQ(fake.sent().field("allow"), "GET, HEAD");
  EXPECT_EQ(fake.sent().field("content-type"), "application/problem+json");
  EXPECT_EQ(fake.sent().field("cache-control"), "no-store");
  EXPECT_FALSE(fake.sent().has_field("retry-after"));
  EXPECT_FALSE(fake.sent().has_field("www-authenticate"));
  EXPECT_NE(fake.sent().body.find("\"request_id\":\"0123456789abcdef0123456789abcdef\""), std::string::npos);

  test::FakeExchange other;
  Problem second{.status = 401, .error = "unauthorized", .detail = "no", .retry_after_s = 7, .authenticate = "Bearer"};
  EXPECT_TRUE(test::run(other.loop, respond_problem(other.exchange, second)));
  EXPECT_EQ(other.sent().field("www-authenticate"), "Bearer");
  EXPECT_EQ(other.sent().field("retry-after"), "7");
}

TEST(RespondProblem, RemembersTheFirstReason) {
  test::FakeExchange fake;
  fake.exchange.record.error = "more exact";
  EXPECT_TRUE(test::run(fake.loop, respond_problem(fake.exchange, {.status = 400, .error = "invalid"})));
  EXPECT_EQ(fake.exchange.record.error, "more exact");
  test::FakeExchange other;
  EXPECT_TRUE(test::run(other.loop, respond_problem(other.exchange, {.status = 400, .error = "invalid"})));
  EXPECT_EQ(other.exchange.record.error, "invalid");
}

TEST(RespondError, NeverShowsTheCause) {
  test::FakeExchange fake;
  Error error(ErrorKind::kInternal, "cannot read", "/secret/path: denied");
  EXPECT_TRUE(test::run(fake.loop, respond_error(fake.exchange, error)));
  EXPECT_EQ(fake.sent().status, 500);
  EXPECT_NE(fake.sent().body.find("cannot read"), std::string::npos);
  EXPECT_EQ(fake.sent().body.find("secret"), std::string::npos);
}

TEST(RespondError, TellsWhenToComeBackAfterOverload) {
  test::FakeExchange fake;
  EXPECT_TRUE(test::run(fake.loop, respond_error(fake.exchange, Error(ErrorKind::kOverloaded, "full"))));
  EXPECT_EQ(fake.sent().status, 503);
  EXPECT_EQ(fake.sent().field("retry-after"), "1");
}

TEST(RespondError, AbortsACommittedResponse) {
  test::FakeExchange fake;
  http::ResponseHead head(fake.arena);
  EXPECT_TRUE(test::run(fake.loop, fake.sink.start(head, std::nullopt)));
  Status done = test::run(fake.loop, respond_error(fake.exchange, Error(ErrorKind::kUpstream, "broke")));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::kUpstream);
  EXPECT_TRUE(fake.sent().aborted);
  EXPECT_FALSE(fake.sent().finished);
}

}  // namespace
}  // namespace sandgate
