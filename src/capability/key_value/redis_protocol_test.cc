// SPDX-License-Identifier: Apache-2.0
#include "capability/key_value/redis_protocol.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "capability/key_value/redis_commands.h"

namespace sandgate::capability {
namespace {

using Kind = RedisReply::Kind;
using Next = RedisReader::Next;
using namespace std::string_literals;

TEST(RedisProtocol, WritesCommandsThatHoldAnything) {
  EXPECT_EQ(redis_command({"SET", "k", std::string_view("\r\n\0", 3)}),
            "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3\r\n\r\n\0\r\n"s);
}

TEST(RedisReader, ReadsRepliesSplitAnywhere) {
  const std::string wire = "+OK\r\n-ERR no\r\n:-42\r\n$-1\r\n$3\r\na\r\n\r\n*2\r\n$1\r\n7\r\n*1\r\n$0\r\n\r\n";
  for (std::size_t split = 0; split <= wire.size(); ++split) {
    RedisReader reader;
    std::vector<RedisReply> replies;
    for (std::string_view part : {std::string_view(wire).substr(0, split), std::string_view(wire).substr(split)}) {
      reader.feed(part);
      RedisReply reply;
      Next next = reader.next(reply);
      for (; next == Next::kReply; next = reader.next(reply)) replies.push_back(reply);
      ASSERT_EQ(next, Next::kMore);
    }
    ASSERT_EQ(replies.size(), 6U) << split;
    EXPECT_EQ(replies[0].kind, Kind::kStatus);
    EXPECT_EQ(replies[1].text, "ERR no");
    EXPECT_EQ(replies[2].number, -42);
    EXPECT_EQ(replies[3].kind, Kind::kNil);
    EXPECT_EQ(replies[4].text, "a\r\n");
    ASSERT_EQ(replies[5].elements.size(), 2U);
    EXPECT_EQ(replies[5].elements[1].elements[0].text, "");
  }
}

TEST(RedisReader, RefusesWhatIsNoReply) {
  for (std::string_view wire : {"HTTP/1.1 200 OK\r\n", "$x\r\n", "*99999999999999999999\r\n", ":1x\r\n"}) {
    RedisReader reader;
    reader.feed(wire);
    RedisReply reply;
    EXPECT_EQ(reader.next(reply), Next::kBroken) << wire;
  }
}

TEST(RedisReader, AReplyHasABound) {
  RedisReader reader;
  reader.feed("$500000000\r\n");
  std::string megabyte(std::size_t{1} << 20, 'x');
  RedisReply reply;
  Next next = Next::kMore;
  for (int i = 0; i < 20 && next == Next::kMore; ++i) {
    reader.feed(megabyte);
    next = reader.next(reply);
  }
  EXPECT_EQ(next, Next::kBroken);
}

TEST(RedisCommands, PrefixesOfStoresCannotMeet) {
  EXPECT_EQ(redis_key_prefix("p", "ab"), "p:2:ab:");
  // "a" with the key "1:b:k" and "a:1:b" with "k" begin with different lengths.
  EXPECT_NE(redis_key_prefix("p", "a") + "1:b:k", redis_key_prefix("p", "a:1:b") + "k");
}

TEST(RedisCommands, AReplyOfTheWrongFormIsAnErrorAndNoCrash) {
  using sandbox::KeyValueOperation;
  for (int operation = 0; operation <= static_cast<int>(KeyValueOperation::kDeleteMany); ++operation) {
    for (Kind kind : {Kind::kStatus, Kind::kError, Kind::kInteger, Kind::kNil, Kind::kText, Kind::kArray}) {
      RedisReply reply;
      reply.kind = kind;
      Answer answer = redis_answer(static_cast<KeyValueOperation>(operation), 3, "p:", reply);
      bool many = operation == static_cast<int>(KeyValueOperation::kGetMany);
      if (many) EXPECT_EQ(answer.status, sandbox::KeyValueStatus::kOther) << static_cast<int>(kind);
      if (kind == Kind::kError) EXPECT_EQ(answer.message, "the store refused the operation");
    }
  }
}

}  // namespace
}  // namespace sandgate::capability
