// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "http/head_parser.h"
#include "http/testing/transcript.h"

namespace sandgate::http::testing {
namespace {

using namespace std::string_view_literals;

// `expected` is "refused", "broken" or the transcript.
struct Message {
  std::string_view name;
  std::string_view bytes;
  std::string_view expected;
  std::string_view method = "GET";
};

#define OK_LINE "HTTP/1.1 200 OK\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n"

// clang-format off: one case, one line.
constexpr Message kMessages[] = {
    {"Content-Length and Transfer-Encoding", OK_LINE "Content-Length: 3\r\n" CHUNKED "\r\n0\r\n\r\n"sv, "refused"},
    {"Content-Length twice, equal", OK_LINE "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"sv, "refused"},
    {"Content-Length list", OK_LINE "Content-Length: 3, 3\r\n\r\nabc"sv, "refused"},
    {"Content-Length negative", OK_LINE "Content-Length: -1\r\n\r\n"sv, "refused"},
    {"Content-Length malformed for HEAD", OK_LINE "Content-Length: x\r\n\r\n"sv, "refused", "HEAD"},
    {"both for HEAD", OK_LINE "Content-Length: 3\r\n" CHUNKED "\r\n"sv, "refused", "HEAD"},
    {"coding gzip", OK_LINE "Transfer-Encoding: gzip\r\n\r\n"sv, "refused"},
    {"codings gzip, chunked", OK_LINE "Transfer-Encoding: gzip, chunked\r\n\r\n"sv, "refused"},
    {"coding twice", OK_LINE CHUNKED CHUNKED "\r\n0\r\n\r\n"sv, "refused"},
    {"coding in 1.0", "HTTP/1.0 200 OK\r\n" CHUNKED "\r\n0\r\n\r\n"sv, "refused"},
    {"204 with chunks", "HTTP/1.1 204 No Content\r\n" CHUNKED "\r\n"sv, "refused"},
    {"204 with a length", "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n"sv, "refused"},
    {"1xx with a length", "HTTP/1.1 100 Continue\r\nContent-Length: 3\r\n\r\n"sv, "refused"},
    {"folded field", OK_LINE "X: a\r\n b\r\n\r\n"sv, "refused"},
    {"space before the colon", OK_LINE "Content-Length : 3\r\n\r\nabc"sv, "refused"},
    {"bare LF", "HTTP/1.1 200 OK\nContent-Length: 0\n\n"sv, "refused"},
    {"bare CR", OK_LINE "X: a\rb\r\n\r\n"sv, "refused"},
    {"NUL in a value", OK_LINE "X: \0\r\n\r\n"sv, "refused"},
    {"control byte in the reason", "HTTP/1.1 200 O\x01K\r\n\r\n"sv, "refused"},
    {"empty line first", "\r\n" OK_LINE "\r\n"sv, "refused"},
    {"status of two digits", "HTTP/1.1 99\r\n\r\n"sv, "refused"},
    {"status of four digits", "HTTP/1.1 2000 OK\r\n\r\n"sv, "refused"},
    {"status 099", "HTTP/1.1 099 Low\r\n\r\n"sv, "refused"},
    {"status 600", "HTTP/1.1 600 High\r\n\r\n"sv, "refused"},
    {"status with sign", "HTTP/1.1 +20 OK\r\n\r\n"sv, "refused"},
    {"status with letter", "HTTP/1.1 2x0 OK\r\n\r\n"sv, "refused"},
    {"status missing", "HTTP/1.1\r\n\r\n"sv, "refused"},
    {"status missing after the space", "HTTP/1.1 \r\n\r\n"sv, "refused"},
    {"two spaces before the status", "HTTP/1.1  200 OK\r\n\r\n"sv, "refused"},
    {"reason without space", "HTTP/1.1 200OK\r\n\r\n"sv, "refused"},
    {"tab after the status", "HTTP/1.1 200\tOK\r\n\r\n"sv, "refused"},
    {"version 2.0", "HTTP/2.0 200 OK\r\n\r\n"sv, "refused"},
    {"version 2", "HTTP/2 200\r\n\r\n"sv, "refused"},
    {"version 1.10", "HTTP/1.10 200 OK\r\n\r\n"sv, "refused"},
    {"not HTTP", "SSH-2.0-OpenSSH_9.2\r\n\r\n"sv, "refused"},
    {"chunk not followed by CRLF", OK_LINE CHUNKED "\r\n3\r\nabc0\r\n\r\n"sv, "broken"},
    {"chunk size malformed", OK_LINE CHUNKED "\r\nz\r\n"sv, "broken"},

    {"plain", OK_LINE "Content-Length: 3\r\n\r\nabc"sv, "200 1.1 {Content-Length=3} length 3 [abc]\n"},
    {"chunks", OK_LINE CHUNKED "\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n"sv, "200 1.1 {Transfer-Encoding=chunked} chunked [abc] trailers {X=y}\n"},
    {"until close", OK_LINE "\r\nabc"sv, "200 1.1 until close [abc]\n"},
    {"until close, empty", OK_LINE "\r\n"sv, "200 1.1 until close []\n"},
    {"cut off", OK_LINE "Content-Length: 4\r\n\r\nabc"sv, "200 1.1 {Content-Length=4} length 4 [abc] unfinished\n"},
    {"version 1.0", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na"sv, "200 1.0 {Content-Length=1} length 1 [a]\n"},
    {"version 1.2", "HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n"sv, "200 1.1 {Content-Length=0} length 0 []\n"},
    {"no reason", "HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n"sv, "404 1.1 {Content-Length=0} length 0 []\n"},
    {"no reason and no space", "HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n"sv, "404 1.1 {Content-Length=0} length 0 []\n"},
    {"reason in other bytes", "HTTP/1.1 200 \xc3\xa9 \t!\r\nContent-Length: 0\r\n\r\n"sv, "200 1.1 {Content-Length=0} length 0 []\n"},
    {"unknown status", "HTTP/1.1 599 X\r\nContent-Length: 0\r\n\r\n"sv, "599 1.1 {Content-Length=0} length 0 []\n"},
    {"HEAD with a length", OK_LINE "Content-Length: 3\r\n\r\n"sv, "200 1.1 {Content-Length=3} none []\n", "HEAD"},
    {"HEAD with chunks", OK_LINE CHUNKED "\r\n"sv, "200 1.1 {Transfer-Encoding=chunked} none []\n", "HEAD"},
    {"HEAD with nothing", OK_LINE "\r\n"sv, "200 1.1 none []\n", "HEAD"},
    {"method head is another", OK_LINE "Content-Length: 1\r\n\r\na"sv, "200 1.1 {Content-Length=1} length 1 [a]\n", "head"},
    {"304 with a length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n"sv, "304 1.1 {Content-Length=3} none []\n"},
    {"204", "HTTP/1.1 204 No Content\r\n\r\n"sv, "204 1.1 none []\n"},
    {"204 with length 0", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"sv, "204 1.1 {Content-Length=0} none []\n"},
    {"informational heads first", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" OK_LINE "Content-Length: 1\r\n\r\na"sv,
     "100 1.1 none []\n103 1.1 {Link=x} none []\n200 1.1 {Content-Length=1} length 1 [a]\n"},
    {"101", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nrest"sv, "101 1.1 {Upgrade=x} none then [rest]\n"},
    {"CONNECT accepted", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n" CHUNKED "\r\nrest"sv,
     "200 1.1 {Content-Length=3} {Transfer-Encoding=chunked} none then [rest]\n", "CONNECT"},
    {"CONNECT refused", "HTTP/1.1 407 No\r\nContent-Length: 3\r\n\r\nabc"sv, "407 1.1 {Content-Length=3} length 3 then [abc]\n", "CONNECT"},
    {"two responses", OK_LINE "Content-Length: 1\r\n\r\na" OK_LINE "Content-Length: 1\r\n\r\nb"sv,
     "200 1.1 {Content-Length=1} length 1 [a]\n200 1.1 {Content-Length=1} length 1 [b]\n"},
};
// clang-format on

#undef OK_LINE
#undef CHUNKED

std::string read_response(const Message& message) { return read_whole(ResponseSide(message.method), message.bytes); }

TEST(ResponseCorpus, IsReadAsWritten) {
  for (const Message& message : kMessages) {
    SCOPED_TRACE(message.name);
    const std::string transcript = read_response(message);
    if (message.expected == "refused") {
      EXPECT_TRUE(transcript.starts_with("refused 502: ")) << transcript;
    } else if (message.expected == "broken") {
      EXPECT_NE(transcript.find("] broken: "), std::string::npos) << transcript;
    } else {
      EXPECT_EQ(transcript, message.expected);
    }
  }
}

TEST(ResponseCorpus, IsReadTheSameHoweverItIsCut) {
  for (const Message& message : kMessages) {
    SCOPED_TRACE(message.name);
    const std::string whole = read_response(message);
    EXPECT_EQ(read_bytewise(ResponseSide(message.method), message.bytes), whole);
    for (std::size_t first = 0; first <= message.bytes.size(); ++first) {
      ASSERT_EQ(read_split(ResponseSide(message.method), message.bytes, first), whole) << "split after " << first;
    }
  }
}

TEST(ResponseParser, HoldsTheLimits) {
  const HeadLimits limits{.start_line_bytes = 20, .head_bytes = 60, .fields = 2};
  const ResponseSide side("GET", limits);
  EXPECT_TRUE(read_whole(side, "HTTP/1.1 200 Reasons.\r\n").starts_with("refused 502: the status line is too long"));
  EXPECT_TRUE(read_whole(side, "HTTP/1.1 200 OK\r\na: b\r\na: b\r\na: b\r\n").starts_with("refused 502"));
  EXPECT_TRUE(read_whole(side, "HTTP/1.1 200 OK\r\na: " + std::string(60, 'b')).starts_with("refused 502"));
  EXPECT_EQ(read_whole(side, "HTTP/1.1 200 Reason.\r\na: b\r\na: b\r\n\r\n"), "200 1.1 {a=b} {a=b} until close []\n");
}

TEST(ParseContentLength, TakesPlainDigitsOnly) {
  EXPECT_EQ(parse_content_length("0"), 0U);
  EXPECT_EQ(parse_content_length("42"), 42U);
  EXPECT_EQ(parse_content_length("999999999999999999"), 999999999999999999U);
  for (std::string_view value : {"", "1000000000000000000", "-1", "+1", "1 ", " 1", "1,1", "0x1", "1e3", "a"}) {
    EXPECT_EQ(parse_content_length(value), std::nullopt) << value;
  }
}

}  // namespace
}  // namespace sandgate::http::testing
