// SPDX-License-Identifier: Apache-2.0
#include "server/handover_message.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sandgate::server {
namespace {

using Kind = HandoverMessage::Kind;

HandoverMessage offer() {
  HandoverMessage message;
  message.kind = Kind::kOffer;
  message.sockets = {{"main", "127.0.0.1:3000", "", 0},
                     {"main", "127.0.0.1:3000", "", 1},
                     {"admin", "unix:/run/a \"quoted\" name.sock", "", 0},
                     {"metrics", "127.0.0.1:40000", "127.0.0.1:0", 0}};
  message.data_lock = true;
  return message;
}

TEST(HandoverMessage, ComesBackAsItWasWritten) {
  HandoverMessage ready;
  ready.kind = Kind::kReady;
  ready.taken = {0, 2, 3};
  HandoverMessage cancelled;
  cancelled.kind = Kind::kCancelled;
  cancelled.reason = "no \"reason\"\n";
  HandoverMessage done;
  done.kind = Kind::kDone;
  for (const HandoverMessage& message : {HandoverMessage{}, offer(), ready, done, cancelled}) {
    Result<HandoverMessage> read = parse_handover_message(write_handover_message(message));
    ASSERT_TRUE(read) << write_handover_message(message);
    EXPECT_EQ(*read, message) << write_handover_message(message);
  }
}

TEST(HandoverMessage, ToldApartByVersion) {
  Result<HandoverMessage> newer = parse_handover_message(R"({"handover_version":2,"message":"hi","more":[]})");
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().kind, ErrorKind::kUnsupported);
  EXPECT_NE(newer.error().detail.find("version 2, this one in version 1"), std::string::npos);
}

TEST(HandoverMessage, ACutOneIsNone) {
  for (const HandoverMessage& message : {HandoverMessage{}, offer()}) {
    std::string text = write_handover_message(message);
    for (std::size_t length = 0; length < text.size(); ++length) {
      Result<HandoverMessage> read = parse_handover_message(text.substr(0, length));
      ASSERT_FALSE(read) << text.substr(0, length);
      EXPECT_EQ(read.error().kind, ErrorKind::kInvalid);
    }
  }
}

TEST(HandoverMessage, RefusesWhatIsNone) {
  for (
      const char* text :
      {"",
       "[]",
       "null",
       "{}",
       "GET / HTTP/1.1",
       R"({"message":"hello"})",
       R"({"handover_version":"1","message":"hello"})",
       R"({"handover_version":-1,"message":"hello"})",
       R"({"handover_version":1})",
       R"({"handover_version":1,"message":7})",
       R"({"handover_version":1,"message":"goodbye"})",
       R"({"handover_version":1,"message":"offer"})",
       R"({"handover_version":1,"message":"offer","sockets":[],"data_lock":1})",
       R"({"handover_version":1,"message":"offer","sockets":[7],"data_lock":true})",
       R"({"handover_version":1,"message":"offer","sockets":[{"listener":"main"}],"data_lock":true})",
       R"({"handover_version":1,"message":"offer","sockets":[{"listener":"main","address":"a","group_index":-1}],"data_lock":true})",
       R"({"handover_version":1,"message":"ready"})",
       R"({"handover_version":1,"message":"ready","taken":[-1]})",
       R"({"handover_version":1,"message":"ready","taken":["0"]})",
       R"({"handover_version":1,"message":"ready","taken":[0,0]})"}) {
    Result<HandoverMessage> read = parse_handover_message(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().kind, ErrorKind::kInvalid) << text;
  }
  std::string many = R"({"handover_version":1,"message":"ready","taken":[0)";
  for (int i = 1; i < 1000; ++i) many += "," + std::to_string(i);
  EXPECT_FALSE(parse_handover_message(many + "]}")) << "more sockets than there can be";
  EXPECT_FALSE(parse_handover_message(std::string(100, '[') + std::string(100, ']')));
}

}  // namespace
}  // namespace sandgate::server
