// SPDX-License-Identifier: Apache-2.0
#include "http/head_writer.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "http/head_parser.h"

namespace sandgate::http {
namespace {

using Kind = BodyFraming::Kind;
using Lines = std::vector<std::pair<std::string_view, std::string_view>>;

constexpr BodyFraming kNone{};
constexpr BodyFraming kChunked{Kind::kChunked, 0};
constexpr BodyFraming length(std::uint64_t bytes) { return {Kind::kLength, bytes}; }

std::string response(int status, const Lines& lines, BodyFraming framing,
                     ConnectionOption connection = ConnectionOption::kImplied, std::string_view date = {}) {
  Arena arena;
  ResponseHead head(arena);
  head.status = status;
  for (const auto& [name, value] : lines) head.fields.add(name, value);
  std::string out = "before|";
  write_response_head(out, head, framing, connection, date);
  EXPECT_TRUE(out.starts_with("before|"));
  return out.substr(7);
}

struct Request {
  std::string_view method = "GET";
  std::string_view authority = "a";
  std::string_view path = "/";
  std::string_view query = {};
  bool has_query = false;
  Lines lines = {};
  BodyFraming framing = {};
  ConnectionOption connection = ConnectionOption::kImplied;
};

std::string written(const Request& request) {
  Arena arena;
  RequestHead head(arena);
  head.method = request.method;
  head.authority = request.authority;
  head.path = request.path;
  head.query = request.query;
  head.has_query = request.has_query;
  for (const auto& [name, value] : request.lines) head.fields.add(name, value);
  std::string out;
  write_request_head(out, head, request.framing, request.connection);
  return out;
}

TEST(ResponseWriter, WritesFieldsAsTheyAreThenDateAndFraming) {
  EXPECT_EQ(response(200, {{"x-A", "b c"}, {"Empty", ""}}, length(12), ConnectionOption::kImplied,
                     "Sun, 06 Nov 1994 08:49:37 GMT"),
            "HTTP/1.1 200 OK\r\n"
            "x-A: b c\r\n"
            "Empty: \r\n"
            "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "Content-Length: 12\r\n"
            "\r\n");
}

TEST(ResponseWriter, FramesAlone) {
  const Lines forged = {{"Content-Length", "5"}, {"transfer-encoding", "chunked"}, {"Connection", "x"},
                        {"Keep-Alive", "x"},     {"Proxy-Connection", "x"},        {"Upgrade", "x"}};
  EXPECT_EQ(response(200, forged, kChunked), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(response(200, forged, length(0)), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(response(200, forged, {Kind::kUntilClose, 0}), "HTTP/1.1 200 OK\r\n\r\n");
}

TEST(ResponseWriter, KeepsTheDateOfTheHead) {
  EXPECT_EQ(response(200, {{"date", "x"}}, length(0), ConnectionOption::kImplied, "y"),
            "HTTP/1.1 200 OK\r\ndate: x\r\nContent-Length: 0\r\n\r\n");
}

TEST(ResponseWriter, WritesNoFramingWhereNoBodyCanBe) {
  for (BodyFraming framing : {kNone, kChunked, length(0), length(5), BodyFraming{Kind::kUntilClose, 0}}) {
    EXPECT_EQ(response(204, {}, framing), "HTTP/1.1 204 No Content\r\n\r\n");
    EXPECT_EQ(response(103, {}, framing), "HTTP/1.1 103 Early Hints\r\n\r\n");
  }
  EXPECT_EQ(response(304, {}, kNone), "HTTP/1.1 304 Not Modified\r\n\r\n");
  EXPECT_EQ(response(304, {}, kChunked), "HTTP/1.1 304 Not Modified\r\n\r\n");
  EXPECT_EQ(response(304, {}, length(7)), "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n");
}

TEST(ResponseWriter, WritesTheLargestLength) {
  EXPECT_EQ(response(200, {}, length(18446744073709551615U)),
            "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n");
}

TEST(ResponseWriter, WritesTheConnectionOption) {
  EXPECT_EQ(response(200, {}, length(0), ConnectionOption::kClose),
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(response(200, {}, length(0), ConnectionOption::kKeepAlive),
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(response(101, {{"Upgrade", "websocket"}}, kNone, ConnectionOption::kUpgrade),
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
}

TEST(RequestWriter, WritesHostFirst) {
  EXPECT_EQ(written({.lines = {{"A", "b"}, {"hOsT", "c"}, {"D", "e"}}}),
            "GET / HTTP/1.1\r\nHost: c\r\nA: b\r\nD: e\r\n\r\n");
  EXPECT_EQ(written({.authority = "x:1"}), "GET / HTTP/1.1\r\nHost: x:1\r\n\r\n");
}

TEST(RequestWriter, WritesEachFormOfTarget) {
  EXPECT_EQ(written({.path = "/a", .query = "b=c", .has_query = true}), "GET /a?b=c HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(written({.path = "/a", .has_query = true}), "GET /a? HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(written({.method = "OPTIONS", .path = "*"}), "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(written({.method = "CONNECT", .authority = "a:1", .path = ""}),
            "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n");
}

TEST(RequestWriter, FramesAlone) {
  const Lines forged = {
      {"Content-Length", "5"}, {"Transfer-Encoding", "x"}, {"Connection", "close"}, {"Upgrade", "h2c"}};
  EXPECT_EQ(written({.lines = forged}), "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(written({.method = "POST", .lines = forged, .framing = kChunked}),
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(written({.lines = forged, .framing = length(3)}), "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n");
}

TEST(RequestWriter, SaysLengthZeroWhereABodyIsExpected) {
  for (std::string_view method : {"POST", "PUT", "PATCH"}) {
    EXPECT_EQ(written({.method = method}), std::string(method) + " / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
  }
  EXPECT_EQ(written({.method = "DELETE"}), "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n");
}

TEST(RequestWriter, KeepsUpgradeWhenUpgrading) {
  EXPECT_EQ(written({.lines = {{"Upgrade", "websocket"}}, .connection = ConnectionOption::kUpgrade}),
            "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
}

TEST(Writers, AreReadBackByTheParsers) {
  Arena arena;
  const std::string request = written(
      {.method = "POST", .path = "/a", .query = "b", .has_query = true, .lines = {{"C", "d"}}, .framing = length(3)});
  RequestHead request_head(arena);
  BodyFraming framing;
  const HeadResult request_result = RequestParser().parse(request, request_head, framing);
  ASSERT_EQ(request_result.kind, HeadResult::Kind::kDone);
  EXPECT_EQ(request_result.consumed, request.size());
  EXPECT_EQ(framing, length(3));
  EXPECT_EQ(request_head.path, "/a");
  EXPECT_EQ(request_head.query, "b");

  const std::string answer = response(200, {{"C", "d"}}, kChunked);
  ResponseHead response_head(arena);
  const HeadResult response_result = ResponseParser().parse(answer, "GET", response_head, framing);
  ASSERT_EQ(response_result.kind, HeadResult::Kind::kDone);
  EXPECT_EQ(response_result.consumed, answer.size());
  EXPECT_EQ(framing, kChunked);
}

TEST(ReasonPhrase, KnowsTheRegistryAndTheClasses) {
  EXPECT_EQ(reason_phrase(200), "OK");
  EXPECT_EQ(reason_phrase(413), "Content Too Large");
  EXPECT_EQ(reason_phrase(431), "Request Header Fields Too Large");
  EXPECT_EQ(reason_phrase(511), "Network Authentication Required");
  EXPECT_EQ(reason_phrase(199), "Informational");
  EXPECT_EQ(reason_phrase(299), "Successful");
  EXPECT_EQ(reason_phrase(399), "Redirection");
  EXPECT_EQ(reason_phrase(499), "Client Error");
  EXPECT_EQ(reason_phrase(599), "Server Error");
}

}  // namespace
}  // namespace sandgate::http
