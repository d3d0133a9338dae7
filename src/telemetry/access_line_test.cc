// SPDX-License-Identifier: Apache-2.0
#include "telemetry/access_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <string>

#include "tests/support/fake_exchange.h"

namespace sandgate::telemetry {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kReceivedMs = 1'767'323'045'006;

class AccessLineTest : public testing::Test {
 protected:
  AccessLineTest() {
    fake_.exchange.received_unix_ms = kReceivedMs;
    fake_.exchange.client = "192.0.2.7";
    fake_.exchange.target = "/v1/items?token=secret";
    fake_.exchange.record.status = 200;
    fake_.exchange.record.response_bytes = 1234;
    fake_.exchange.record.upstream = "127.0.0.1:30000";
    fake_.add_field("User-Agent", "curl/8.0");
  }
  std::string line(AccessLogFormat format, LoggedQuery query = LoggedQuery::kHidden,
                   Nanoseconds duration = Nanoseconds(1'234'567)) {
    std::string out;
    append_access_line(out, fake_.exchange, duration, format, query, seconds_);
    EXPECT_LE(out.size(), kLineBytesMax);
    EXPECT_EQ(out.find('\n'), out.size() - 1) << "not one line";
    for (char c : out.substr(0, out.size() - 1)) EXPECT_GE(static_cast<unsigned char>(c), 0x20);
    return out;
  }

  test::FakeExchange fake_{"GET", "/v1/items"};
  SecondText seconds_;
};

TEST_F(AccessLineTest, IsTextForPeople) {
  EXPECT_EQ(line(AccessLogFormat::kText),
            "2026-01-02T03:04:05.006Z 192.0.2.7 \"GET /v1/items?... HTTP/1.1\" 200 1234 1.234 upstream=127.0.0.1:30000 "
            "id=0123456789abcdef0123456789abcdef agent=\"curl/8.0\"\n");
}

TEST_F(AccessLineTest, IsJsonForPrograms) {
  fake_.exchange.record.error = "timed_out";
  EXPECT_EQ(line(AccessLogFormat::kJson),
            R"({"time":"2026-01-02T03:04:05.006Z","client":"192.0.2.7","method":"GET","target":"/v1/items?...",)"
            R"("protocol":"HTTP/1.1","status":200,"bytes":1234,"duration_ms":1.234,"upstream":"127.0.0.1:30000",)"
            R"("request_id":"0123456789abcdef0123456789abcdef","user_agent":"curl/8.0","error":"timed_out"})"
            "\n");
}

TEST_F(AccessLineTest, IsNothingWhenItIsOff) {
  std::string out;
  append_access_line(out, fake_.exchange, Nanoseconds(1), AccessLogFormat::kOff, LoggedQuery::kHidden, seconds_);
  EXPECT_EQ(out, "");
}

TEST_F(AccessLineTest, ShowsAQueryOnlyWhenAsked) {
  for (AccessLogFormat format : {AccessLogFormat::kText, AccessLogFormat::kJson}) {
    EXPECT_THAT(line(format), Not(HasSubstr("secret")));
    EXPECT_THAT(line(format, LoggedQuery::kShown), HasSubstr("/v1/items?token=secret"));
  }
}

TEST_F(AccessLineTest, ShowsNoOtherField) {
  fake_.add_field("Authorization", "Bearer hidden").add_field("Cookie", "hidden").add_field("X-Api-Key", "hidden");
  EXPECT_THAT(line(AccessLogFormat::kText), Not(HasSubstr("hidden")));
  EXPECT_THAT(line(AccessLogFormat::kJson), Not(HasSubstr("hidden")));
}

TEST_F(AccessLineTest, EscapesWhatClientsChose) {
  fake_.exchange.target = "/a\r\nGET /forged\"\\\x01\xff";
  fake_.exchange.request.fields.set("User-Agent", "a\nb\"\xc3\xa9");
  std::string text = line(AccessLogFormat::kText);
  EXPECT_THAT(text, HasSubstr(R"("GET /a\x0d\x0aGET /forged\"\\\x01\xff HTTP/1.1")"));
  EXPECT_THAT(text, HasSubstr(R"(agent="a\x0ab\"\xc3\xa9")"));
  std::string json = line(AccessLogFormat::kJson);
  EXPECT_THAT(json, HasSubstr("\"target\":\"/a\\r\\nGET /forged\\\"\\\\\\u0001\xef\xbf\xbd\""));
  EXPECT_THAT(json, HasSubstr("\"user_agent\":\"a\\nb\\\"\xc3\xa9\""));
}

TEST_F(AccessLineTest, CutsWhatIsLong) {
  std::string target = "/" + std::string(100'000, 'a');
  fake_.exchange.target = target;
  std::string text = line(AccessLogFormat::kText);
  EXPECT_THAT(text, HasSubstr(target.substr(0, kTargetBytesMax) + "... HTTP/1.1"));
}

TEST_F(AccessLineTest, StaysBelowTheBoundWhateverClientsSend) {
  for (const char* piece : {"\x01", "\"", "\xff", "a", "\xe2\x82\xac"}) {
    std::string text;
    while (text.size() < 20'000) text += piece;
    fake_.exchange.target = text;
    fake_.exchange.request.method = text;
    fake_.exchange.client = text;
    fake_.exchange.id = text;
    fake_.exchange.record.upstream = text;
    fake_.exchange.record.error = text;
    fake_.exchange.request.fields.set("User-Agent", text);
    for (AccessLogFormat format : {AccessLogFormat::kText, AccessLogFormat::kJson}) line(format, LoggedQuery::kShown);
  }
}

TEST_F(AccessLineTest, TellsWhatModulesDid) {
  ExchangeStep first{"auth", "OnRequest", "continue", Nanoseconds(6'000)};
  ExchangeStep second{"logging", "OnResponse", "modify", Nanoseconds(1'008'000)};
  fake_.exchange.record.append(first);
  fake_.exchange.record.append(second);
  EXPECT_THAT(line(AccessLogFormat::kText),
              EndsWith(" modules=\"auth.OnRequest=continue/0.006 logging.OnResponse=modify/1.008\"\n"));
  EXPECT_THAT(line(AccessLogFormat::kJson),
              EndsWith(R"(,"modules":[{"module":"auth","attach_point":"OnRequest","outcome":"continue",)"
                       R"("duration_ms":0.006},{"module":"logging","attach_point":"OnResponse","outcome":"modify",)"
                       R"("duration_ms":1.008}]})"
                       "\n"));
}

TEST_F(AccessLineTest, LeavesOutModulesBeyondItsRoom) {
  std::string name(64, 'm');
  std::deque<ExchangeStep> steps;
  for (int i = 0; i < 256; ++i) {
    steps.push_back({name, "OnRequest", "continue", Nanoseconds(1)});
    fake_.exchange.record.append(steps.back());
  }
  EXPECT_THAT(line(AccessLogFormat::kText), EndsWith("continue/0.000\"\n"));
  EXPECT_THAT(line(AccessLogFormat::kJson), EndsWith("\"duration_ms\":0.000}]}\n"));
}

TEST_F(AccessLineTest, LeavesOutWhatIsNotThere) {
  fake_.exchange.record = {};
  fake_.exchange.client = {};
  fake_.exchange.target = "/";
  fake_.exchange.request.minor_version = 0;
  fake_.exchange.request.fields.clear();
  EXPECT_EQ(line(AccessLogFormat::kText, LoggedQuery::kHidden, Nanoseconds(999)),
            "2026-01-02T03:04:05.006Z 127.0.0.1 \"GET / HTTP/1.0\" 0 0 0.000 id=0123456789abcdef0123456789abcdef "
            "agent=\"\"\n");
}

TEST_F(AccessLineTest, WritesLongTimes) {
  EXPECT_THAT(line(AccessLogFormat::kText, LoggedQuery::kHidden, std::chrono::hours(1) + Nanoseconds(50'000)),
              HasSubstr(" 3600000.050 "));
  fake_.exchange.received_unix_ms = -5;
  EXPECT_THAT(line(AccessLogFormat::kText, LoggedQuery::kHidden, Nanoseconds(-5)),
              HasSubstr("1970-01-01T00:00:00.000Z"));
}

TEST(SecondText, FollowsTheSecond) {
  SecondText seconds;
  EXPECT_EQ(seconds.of(0), "1970-01-01T00:00:00");
  EXPECT_EQ(seconds.of(0), "1970-01-01T00:00:00");
  EXPECT_EQ(seconds.of(1'767'323'045), "2026-01-02T03:04:05");
  EXPECT_EQ(seconds.of(1), "1970-01-01T00:00:01");
}

}  // namespace
}  // namespace sandgate::telemetry
