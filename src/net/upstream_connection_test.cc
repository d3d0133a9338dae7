// SPDX-License-Identifier: Apache-2.0
#include "net/upstream_connection.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "net/testing/loop_fixture.h"

namespace sandgate::net {
namespace {

using testing::LoopTest;
using testing::make_pair;
using testing::StreamPair;
using testing::Transport;

// The buffers of both sockets together stay below.
constexpr std::size_t kMoreThanSocketsHold = 24'000'000;

std::string text_of(const Status& status) { return status ? "ok" : std::string(error_kind_name(status.error().kind)); }

http::BodyFraming length(std::uint64_t bytes) { return {http::BodyFraming::Kind::kLength, bytes}; }
constexpr http::BodyFraming kChunked{http::BodyFraming::Kind::kChunked, 0};

class UpstreamConnectionTest : public LoopTest {
 protected:
  UpstreamConnectionTest() { connect(); }
  ~UpstreamConnectionTest() override {
    on_loop([this] { connection.reset(); });
  }
  void connect() {
    on_loop([this] {
      StreamPair pair = make_pair(loop, Transport::kTcp);
      connection = std::make_unique<UpstreamConnection>(std::move(pair.stream), options);
      peer = std::move(pair.peer);
    });
  }

  // Each runs one operation on the loop and says how it went.
  std::string write_head(http::BodyFraming framing = {}, std::string_view start = {}, std::string_view method = "GET") {
    return run<std::string>([=, this] { return write_head_task(*connection, arena, framing, start, method); })
        .value_or("hangs");
  }
  static Task<std::string> write_head_task(UpstreamConnection& to, Arena& arena, http::BodyFraming framing,
                                           std::string_view start, std::string_view method) {
    http::RequestHead head(arena);
    head.method = method;
    head.path = "/p";
    head.authority = "a";
    Status status = co_await to.write_head(head, framing, false, start);
    co_return text_of(status);
  }
  std::string write_body(std::string_view bytes) {
    return run<std::string>([=, this] { return write_body_task(*connection, bytes); }).value_or("hangs");
  }
  static Task<std::string> write_body_task(UpstreamConnection& to, std::string_view bytes) {
    Status status = co_await to.write_body(bytes);
    co_return text_of(status);
  }
  std::string finish_body() {
    return run<std::string>([this] { return finish_task(*connection); }).value_or("hangs");
  }
  static Task<std::string> finish_task(UpstreamConnection& to) {
    Status status = co_await to.finish_body(nullptr);
    co_return text_of(status);
  }
  std::future<std::string> begin_head(std::string_view method = "GET") {
    return testing::begin<std::string>(loop, [=, this] { return read_head_task(*connection, arena, method); });
  }
  std::string read_head(std::string_view method = "GET") {
    return testing::value_of(begin_head(method)).value_or("hangs");
  }
  static Task<std::string> read_head_task(UpstreamConnection& from, Arena& arena, std::string_view method) {
    http::ResponseHead head(arena);
    Status status = co_await from.read_head(method, head);
    co_return status ? std::to_string(head.status) : text_of(status);
  }
  std::string read_body() {
    return run<std::string>([this] { return read_body_task(*connection); }).value_or("hangs");
  }
  static Task<std::string> read_body_task(UpstreamConnection& from) {
    std::string all;
    for (;;) {
      Result<std::string_view> piece = co_await from.body().read();
      if (!piece) co_return all + "!" + std::string(error_kind_name(piece.error().kind));
      if (piece->empty()) co_return all;
      all += *piece;
    }
  }
  bool reusable() {
    bool answer = false;
    on_loop([&] { answer = connection->reusable(); });
    return answer;
  }

  PoolOptions options;
  Arena arena;
  std::unique_ptr<UpstreamConnection> connection;
  std::unique_ptr<test::RawClient> peer;
};

TEST_F(UpstreamConnectionTest, SendsARequestAndReadsItsResponse) {
  EXPECT_EQ(write_head(), "ok");
  EXPECT_EQ(peer->receive_until("\r\n\r\n"), "GET /p HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(peer->send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"));
  EXPECT_EQ(read_head(), "200");
  on_loop([this] { EXPECT_EQ(connection->body().length(), 5U); });
  EXPECT_EQ(read_body(), "hello");
  EXPECT_TRUE(reusable());
  on_loop([this] {
    EXPECT_TRUE(connection->wrote_any());
    EXPECT_TRUE(connection->received_any());
  });
}

TEST_F(UpstreamConnectionTest, FramesBodiesAsAnnounced) {
  EXPECT_EQ(write_head(length(10), "01234", "POST"), "ok");
  EXPECT_EQ(write_body("56789"), "ok");
  EXPECT_EQ(finish_body(), "ok");
  std::string request = peer->receive_until("56789");
  EXPECT_NE(request.find("Content-Length: 10\r\n\r\n0123456789"), std::string::npos) << request;
  EXPECT_EQ(write_head(kChunked, "ab", "POST"), "ok");
  EXPECT_EQ(write_body("c"), "ok");
  EXPECT_EQ(write_body(""), "ok");
  EXPECT_EQ(finish_body(), "ok");
  request = peer->receive_until("0\r\n\r\n");
  EXPECT_TRUE(request.ends_with("Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")) << request;
}

TEST_F(UpstreamConnectionTest, LargePiecesGoOutUnchangedThoughTheServerIsSlow) {
  std::string body(kMoreThanSocketsHold, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 7 + (i >> 9));
  std::future<std::string> writing = testing::begin<std::string>(
      loop, [&] { return write_head_task(*connection, arena, length(body.size()), body, "POST"); });
  peer->receive_exactly(0);
  std::string head = peer->receive_until("\r\n\r\n");
  std::string received = head.substr(head.find("\r\n\r\n") + 4);
  received += peer->receive_exactly(body.size() - received.size());
  EXPECT_EQ(testing::value_of(std::move(writing)), "ok");
  EXPECT_TRUE(received == body);
}

TEST_F(UpstreamConnectionTest, MoreThanAnnouncedIsNeverSent) {
  EXPECT_EQ(write_head(length(2), "123", "POST"), "internal");
  connect();
  EXPECT_EQ(write_head(length(2), "1", "POST"), "ok");
  EXPECT_EQ(write_body("23"), "internal");
  EXPECT_FALSE(reusable());
}

TEST_F(UpstreamConnectionTest, AResponseMayComeBeforeTheRequestIsDone) {
  EXPECT_EQ(write_head(length(1000), "begin", "POST"), "ok");
  ASSERT_TRUE(peer->send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno"));
  EXPECT_EQ(read_head("POST"), "413");
  EXPECT_EQ(read_body(), "no");
  // The rest of the request would be read as the next one.
  EXPECT_FALSE(reusable());
}

TEST_F(UpstreamConnectionTest, InterimResponsesComeOneByOne) {
  EXPECT_EQ(write_head(), "ok");
  ASSERT_TRUE(
      peer->send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                 "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_EQ(read_head(), "100");
  EXPECT_FALSE(reusable());
  EXPECT_EQ(read_head(), "103");
  EXPECT_EQ(read_head(), "200");
  EXPECT_EQ(read_body(), "");
  EXPECT_TRUE(reusable());
}

TEST_F(UpstreamConnectionTest, ABodyMayEndWithTheConnection) {
  EXPECT_EQ(write_head(), "ok");
  // A server that closes with unread bytes would send a reset.
  peer->receive_until("\r\n\r\n");
  ASSERT_TRUE(peer->send("HTTP/1.1 200 OK\r\n\r\nuntil "));
  EXPECT_EQ(read_head(), "200");
  on_loop([this] { EXPECT_FALSE(connection->body().length()); });
  ASSERT_TRUE(peer->send("the end"));
  peer->close();
  EXPECT_EQ(read_body(), "until the end");
  EXPECT_FALSE(reusable());
}

TEST_F(UpstreamConnectionTest, AResetIsNoEndOfABody) {
  EXPECT_EQ(write_head(), "ok");
  ASSERT_TRUE(peer->send("HTTP/1.1 200 OK\r\n\r\nuntil "));
  EXPECT_EQ(read_head(), "200");
  peer->reset();
  std::string body = read_body();
  EXPECT_TRUE(body.ends_with("!upstream")) << body;
}

TEST_F(UpstreamConnectionTest, ABodyThatStopsShortIsBroken) {
  for (std::string_view head :
       {"Content-Length: 10\r\n\r\n12345", "Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n"}) {
    connect();
    EXPECT_EQ(write_head(), "ok");
    peer->receive_until("\r\n\r\n");
    ASSERT_TRUE(peer->send("HTTP/1.1 200 OK\r\n" + std::string(head)));
    peer->close();
    EXPECT_EQ(read_head(), "200");
    EXPECT_EQ(read_body(), "12345!upstream");
    EXPECT_FALSE(reusable());
  }
}

TEST_F(UpstreamConnectionTest, AnnouncedLengthsBeyondFourGibibytesAreKept) {
  EXPECT_EQ(write_head(), "ok");
  peer->receive_until("\r\n\r\n");
  ASSERT_TRUE(peer->send("HTTP/1.1 200 OK\r\nContent-Length: 4294967298\r\n\r\n12"));
  EXPECT_EQ(read_head(), "200");
  on_loop([this] { EXPECT_EQ(connection->body().length(), 4'294'967'298U); });
  peer->close();
  EXPECT_EQ(read_body(), "12!upstream");
}

TEST_F(UpstreamConnectionTest, AnswersWithoutABodyHaveNone) {
  EXPECT_EQ(write_head({}, {}, "HEAD"), "ok");
  ASSERT_TRUE(peer->send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"));
  EXPECT_EQ(read_head("HEAD"), "200");
  EXPECT_EQ(read_body(), "");
  EXPECT_TRUE(reusable());
  EXPECT_EQ(write_head(), "ok");
  ASSERT_TRUE(peer->send("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"));
  EXPECT_EQ(read_head(), "304");
  EXPECT_EQ(read_body(), "");
  EXPECT_TRUE(reusable());
}

TEST_F(UpstreamConnectionTest, TellsAnEndBeforeTheFirstByteFromOneInTheMiddle) {
  EXPECT_EQ(write_head(), "ok");
  peer->receive_until("\r\n\r\n");
  peer->close();
  EXPECT_EQ(read_head(), "disconnected");
  on_loop([this] { EXPECT_FALSE(connection->received_any()); });
  connect();
  EXPECT_EQ(write_head(), "ok");
  peer->receive_until("\r\n\r\n");
  ASSERT_TRUE(peer->send("HTTP/1.1 2"));
  peer->close();
  EXPECT_EQ(read_head(), "upstream");
  on_loop([this] { EXPECT_TRUE(connection->received_any()); });
}

TEST_F(UpstreamConnectionTest, WritingToAServerThatLeftIsADisconnection) {
  peer->reset();
  std::string result;
  for (int i = 0; i < 100 && result != "disconnected"; ++i) result = write_head();
  EXPECT_EQ(result, "disconnected");
  on_loop([this] { EXPECT_FALSE(connection->wrote_any()); });
}

class ImpatientUpstreamTest : public UpstreamConnectionTest {
 protected:
  ImpatientUpstreamTest() {
    options.first_byte = Milliseconds(60);
    options.between_bytes = Milliseconds(60);
    options.write = Milliseconds(60);
    connect();
  }
};

TEST_F(ImpatientUpstreamTest, AHeadThatDoesNotComeTimesOut) {
  EXPECT_EQ(write_head(), "ok");
  EXPECT_EQ(read_head(), "timed_out");
}

TEST_F(ImpatientUpstreamTest, AHeadThatDripsTimesOutInAll) {
  EXPECT_EQ(write_head(), "ok");
  std::future<std::string> reading = begin_head();
  std::string head = "HTTP/1.1 200 OK\r\nX-Long: " + std::string(3000, 'x');
  for (char byte : head) {
    if (reading.wait_for(std::chrono::milliseconds(5)) == std::future_status::ready) break;
    peer->send({&byte, 1});
  }
  EXPECT_EQ(testing::value_of(std::move(reading)), "timed_out");
}

TEST_F(ImpatientUpstreamTest, TheTimeCountsFromTheEndOfTheRequest) {
  EXPECT_EQ(write_head(length(2), "1", "POST"), "ok");
  std::future<std::string> reading = begin_head("POST");
  // While the body goes out, the caller hears that there is no answer yet, and asks again.
  EXPECT_EQ(testing::value_of(std::move(reading)), "timed_out");
  EXPECT_EQ(write_body("2"), "ok");
  ASSERT_TRUE(peer->send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_EQ(read_head("POST"), "200");
}

TEST_F(ImpatientUpstreamTest, ABodyThatStallsTimesOut) {
  EXPECT_EQ(write_head(), "ok");
  ASSERT_TRUE(peer->send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12"));
  EXPECT_EQ(read_head(), "200");
  EXPECT_EQ(read_body(), "12!timed_out");
}

TEST_F(ImpatientUpstreamTest, AServerThatTakesNothingTimesOut) {
  std::string body(kMoreThanSocketsHold, 'x');
  EXPECT_EQ(write_head(length(body.size()), body, "POST"), "timed_out");
  EXPECT_FALSE(reusable());
}

TEST_F(UpstreamConnectionTest, AbortingEndsWhatWaits) {
  std::string body(kMoreThanSocketsHold, 'x');
  std::future<std::string> writing = testing::begin<std::string>(
      loop, [&] { return write_head_task(*connection, arena, length(body.size()), body, "POST"); });
  std::future<std::string> reading = begin_head("POST");
  on_loop([this] { connection->abort(); });
  EXPECT_EQ(testing::value_of(std::move(writing)), "disconnected");
  EXPECT_EQ(testing::value_of(std::move(reading)), "disconnected");
  EXPECT_EQ(read_body(), "");
  EXPECT_FALSE(reusable());
  connect();
  EXPECT_EQ(write_head(), "ok");
  ASSERT_TRUE(peer->send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"));
  EXPECT_EQ(read_head(), "200");
  std::future<std::string> body_reading =
      testing::begin<std::string>(loop, [this] { return read_body_task(*connection); });
  on_loop([this] { connection->body().abort(); });
  EXPECT_EQ(testing::value_of(std::move(body_reading)), "!disconnected");
}

TEST_F(UpstreamConnectionTest, ARawConnectionBeginsWithWhatFollowedTheHead) {
  EXPECT_EQ(write_head(), "ok");
  ASSERT_TRUE(peer->send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nraw"));
  EXPECT_EQ(read_head(), "101");
  struct Raw {
    static Task<std::string> read(UpstreamConnection& from) {
      Result<std::string_view> bytes = co_await from.raw().read();
      co_return bytes ? std::string(*bytes) : "error";
    }
  };
  EXPECT_EQ(run<std::string>([this] { return Raw::read(*connection); }), "raw");
  EXPECT_FALSE(reusable());
}

}  // namespace
}  // namespace sandgate::net
