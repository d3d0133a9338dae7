// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "http/head_parser.h"
#include "http/testing/request_corpus.h"
#include "http/testing/transcript.h"

namespace sandgate::http::testing {
namespace {

std::size_t lines(std::string_view text) { return static_cast<std::size_t>(std::ranges::count(text, '\n')); }

void expect_as_written(const Message& message, const std::string& transcript) {
  if (message.expected == "broken") {
    EXPECT_EQ(lines(transcript), 1U) << transcript;
    EXPECT_NE(transcript.find("] broken: "), std::string::npos) << transcript;
  } else if (message.expected.size() == 3) {
    EXPECT_TRUE(transcript.starts_with("refused " + std::string(message.expected) + ": ")) << transcript;
    EXPECT_EQ(lines(transcript), 1U) << transcript;
  } else {
    EXPECT_EQ(transcript, message.expected);
  }
}

std::string read_request(std::string_view bytes, HeadLimits limits = {}) {
  return read_whole(RequestSide(limits), bytes);
}

std::string with_fields(std::size_t count) {
  std::string text = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (std::size_t i = 1; i < count; ++i) text += "X: y\r\n";
  return text + "\r\n";
}

TEST(RequestCorpus, IsReadAsWrittenWhole) {
  for_each_request([](const Message& message) {
    SCOPED_TRACE(message.name);
    expect_as_written(message, read_request(message.bytes));
  });
}

TEST(RequestCorpus, IsReadTheSameSplitAtEveryByte) {
  for_each_request([](const Message& message) {
    SCOPED_TRACE(message.name);
    const std::string whole = read_request(message.bytes);
    for (std::size_t first = 0; first <= message.bytes.size(); ++first) {
      ASSERT_EQ(read_split(RequestSide(), message.bytes, first), whole) << "split after " << first;
    }
  });
}

TEST(RequestCorpus, IsReadTheSameByteByByte) {
  for_each_request([](const Message& message) {
    SCOPED_TRACE(message.name);
    EXPECT_EQ(read_bytewise(RequestSide(), message.bytes), read_request(message.bytes));
  });
}

TEST(RequestCorpus, RefusalsSayNoBytesOfTheMessage) {
  for_each_request([](const Message& message) {
    if (message.expected.size() != 3) return;
    Arena arena;
    RequestHead head(arena);
    BodyFraming framing;
    const HeadResult result = RequestParser().parse(message.bytes, head, framing);
    ASSERT_EQ(result.kind, HeadResult::Kind::kRefused) << message.name;
    EXPECT_NE(result.refusal.reason.find("; "), std::string_view::npos)
        << "says what is wrong and what to send: " << result.refusal.reason;
  });
}

// A head that no later byte can mend is answered at once: the peer may be waiting for us.
TEST(RequestParser, RefusesBareLineEndsBeforeTheHeadIsComplete) {
  for (std::string_view bytes :
       {"GET / HTTP/1.1\n", "GET / HTTP/1.1\r\nHost: a\n\n", "GET / HTTP/1.1\rH", "\n", "\r\n\n", "\r\n\r\n"}) {
    EXPECT_TRUE(read_request(bytes).starts_with("refused 400")) << bytes;
  }
}

TEST(RequestParser, AcceptsARequestLineOfTheLimitAndRefusesOneByteMore) {
  const std::string head_and_tail = "GET / HTTP/1.1";
  HeadLimits limits{.start_line_bytes = 100};
  for (std::string_view before : {"", "\r\n"}) {
    const std::string fits =
        std::string(before) + "GET /" + std::string(100 - head_and_tail.size(), 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n";
    const std::string longer =
        std::string(before) + "GET /" + std::string(101 - head_and_tail.size(), 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n";
    EXPECT_TRUE(read_request(fits, limits).starts_with("GET a /aaa"));
    EXPECT_TRUE(read_request(longer, limits).starts_with("refused 414"));
    for (std::size_t first = 0; first < longer.size(); ++first) {
      ASSERT_EQ(read_split(RequestSide(limits), fits, first), read_request(fits, limits)) << first;
      ASSERT_EQ(read_split(RequestSide(limits), longer, first), read_request(longer, limits)) << first;
    }
  }
}

TEST(RequestParser, RefusesALongRequestLineBeforeItsEnd) {
  EXPECT_EQ(read_request("GET /" + std::string(8187, 'a')), "unfinished head\n");
  EXPECT_TRUE(read_request("GET /" + std::string(8188, 'a')).starts_with("refused 414"));
}

TEST(RequestParser, AcceptsAHeadOfTheLimitAndRefusesOneByteMore) {
  const std::string start = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
  HeadLimits limits{.head_bytes = 200};
  const std::string fits = start + std::string(200 - start.size() - 4, 'x') + "\r\n\r\n";
  const std::string longer = start + std::string(201 - start.size() - 4, 'x') + "\r\n\r\n";
  EXPECT_TRUE(read_request(fits, limits).starts_with("GET a /"));
  EXPECT_TRUE(read_request(fits + fits, limits).ends_with("none []\n"));
  EXPECT_TRUE(read_request(longer, limits).starts_with("refused 431"));
  EXPECT_TRUE(read_request(longer.substr(0, 201), limits).starts_with("refused 431"));
  for (std::size_t first = 0; first < longer.size(); ++first) {
    ASSERT_EQ(read_split(RequestSide(limits), fits, first), read_request(fits, limits)) << first;
    ASSERT_EQ(read_split(RequestSide(limits), longer, first), read_request(longer, limits)) << first;
  }
}

TEST(RequestParser, AcceptsAsManyFieldsAsTheLimitAndRefusesOneMore) {
  EXPECT_TRUE(read_request(with_fields(100)).starts_with("GET a /"));
  EXPECT_TRUE(read_request(with_fields(101)).starts_with("refused 431"));
  const std::string unfinished = with_fields(101);
  EXPECT_TRUE(read_request(std::string_view(unfinished).substr(0, unfinished.size() - 2)).starts_with("refused 431"));
}

TEST(RequestParser, RefusesTooManyConnectionOptions) {
  std::string options = "a";
  for (int i = 1; i < 32; ++i) options += ",a";
  const std::string start = "GET / HTTP/1.1\r\nHost: a\r\nConnection: ";
  EXPECT_TRUE(read_request(start + options + "\r\n\r\n").starts_with("GET a /"));
  EXPECT_TRUE(read_request(start + options + ",a\r\n\r\n").starts_with("refused 400"));
  EXPECT_TRUE(read_request(start + options + "\r\nConnection: b\r\n\r\n").starts_with("refused 400"));
}

TEST(RequestParser, SkipsOneEmptyLineAndConsumesIt) {
  Arena arena;
  RequestHead head(arena);
  BodyFraming framing;
  const std::string_view bytes = "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\nnext";
  const HeadResult result = RequestParser().parse(bytes, head, framing);
  ASSERT_EQ(result.kind, HeadResult::Kind::kDone);
  EXPECT_EQ(bytes.substr(result.consumed), "next");
}

TEST(RequestParser, HasStartedWithTheFirstByteOfAHeadOnly) {
  Arena arena;
  RequestHead head(arena);
  BodyFraming framing;
  RequestParser parser;
  EXPECT_FALSE(parser.started());
  std::string buffer;
  for (std::string_view piece : {"\r", "\n"}) {
    buffer += piece;
    EXPECT_EQ(parser.parse(buffer, head, framing).kind, HeadResult::Kind::kNeedMore);
    EXPECT_FALSE(parser.started());
  }
  buffer += "G";
  EXPECT_EQ(parser.parse(buffer, head, framing).kind, HeadResult::Kind::kNeedMore);
  EXPECT_TRUE(parser.started());
  buffer += "ET / HTTP/1.0\r\n\r\n";
  EXPECT_EQ(parser.parse(buffer, head, framing).kind, HeadResult::Kind::kDone);
  EXPECT_FALSE(parser.started());
}

TEST(RequestParser, SetsTheSchemeFromAnAbsoluteTargetOnly) {
  Arena arena;
  RequestHead head(arena);
  BodyFraming framing;
  head.scheme = "https";
  RequestParser parser;
  ASSERT_EQ(parser.parse("GET / HTTP/1.0\r\n\r\n", head, framing).kind, HeadResult::Kind::kDone);
  EXPECT_EQ(head.scheme, "https");
  ASSERT_EQ(parser.parse("GET http://a/ HTTP/1.0\r\n\r\n", head, framing).kind, HeadResult::Kind::kDone);
  EXPECT_EQ(head.scheme, "http");
}

TEST(RequestParser, ForgetsTheHeadBefore) {
  Arena arena;
  RequestHead head(arena);
  BodyFraming framing;
  RequestParser parser;
  ASSERT_EQ(parser.parse("GET http://a/b?c HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n", head, framing).kind,
            HeadResult::Kind::kDone);
  ASSERT_EQ(parser.parse("OPTIONS * HTTP/1.0\r\n\r\n", head, framing).kind, HeadResult::Kind::kDone);
  EXPECT_EQ(describe(head), "OPTIONS  * 1.0");
  EXPECT_FALSE(head.has_query);
  EXPECT_EQ(framing, BodyFraming{});
}

TEST(RequestParser, StaysRefusedUntilReset) {
  Arena arena;
  RequestHead head(arena);
  BodyFraming framing;
  RequestParser parser;
  ASSERT_EQ(parser.parse("GET / HTTP/1.1\nX", head, framing).kind, HeadResult::Kind::kRefused);
  EXPECT_EQ(parser.parse("GET / HTTP/1.1\nXY", head, framing).kind, HeadResult::Kind::kRefused);
  parser.reset();
  EXPECT_EQ(parser.parse("GET / HTTP/1.0\r\n\r\n", head, framing).kind, HeadResult::Kind::kDone);
}

TEST(RequestHead, KnowsIdempotentMethods) {
  Arena arena;
  RequestHead head(arena);
  for (std::string_view method : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"}) {
    head.method = method;
    EXPECT_TRUE(head.is_idempotent()) << method;
  }
  for (std::string_view method : {"POST", "PATCH", "CONNECT", "get", "BREW"}) {
    head.method = method;
    EXPECT_FALSE(head.is_idempotent()) << method;
  }
}

TEST(KeepAlive, FollowsVersionAndConnection) {
  Arena arena;
  auto keeps = [&arena](std::string_view first, std::string_view second, int minor_version) {
    Fields fields(arena);
    if (!first.empty()) fields.add("Connection", first);
    if (!second.empty()) fields.add("connection", second);
    return wants_keep_alive(fields, minor_version);
  };
  EXPECT_TRUE(keeps("", "", 1));
  EXPECT_FALSE(keeps("", "", 0));
  EXPECT_TRUE(keeps("Keep-Alive", "", 0));
  EXPECT_FALSE(keeps("te, CLOSE", "", 1));
  EXPECT_FALSE(keeps("keep-alive", "close", 1));
  EXPECT_FALSE(keeps("keep-alive, close", "", 0));
  EXPECT_TRUE(keeps("closed", "", 1));
}

}  // namespace
}  // namespace sandgate::http::testing
