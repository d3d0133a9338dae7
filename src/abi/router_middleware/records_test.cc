// SPDX-License-Identifier: Apache-2.0
#include "abi/router_middleware/records.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "abi/router_middleware/limits.h"

namespace sandgate::abi::router_middleware {
namespace {

std::string text_of(sg_bytes bytes) { return {reinterpret_cast<const char*>(bytes.data), bytes.len}; }
sg_bytes bytes_of(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

std::vector<std::pair<std::string, std::string>> lines_of(sg_headers headers) {
  std::vector<std::pair<std::string, std::string>> lines;
  for (std::size_t i = 0; i < headers.len; ++i)
    lines.emplace_back(text_of(headers.data[i].name), text_of(headers.data[i].value));
  return lines;
}

TEST(Records, CarryARequestWhole) {
  Arena arena;
  http::RequestHead head(arena);
  head.method = "POST";
  head.path = "/v1/%2Fchat";
  head.query = "a=1&b";
  head.fields.add("Host", "a.test");
  head.fields.add("Authorization", "Bearer secret");
  head.fields.add("x-lower", "caf\xc3\xa9");
  head.fields.add("X-MIXED", "");
  head.fields.add("x-lower", "again");
  sg_request request = lower_request({head, "body \xff", "id-1", 42}, arena);
  EXPECT_EQ(text_of(request.method), "POST");
  EXPECT_EQ(text_of(request.path), "/v1/%2Fchat");
  EXPECT_EQ(text_of(request.query), "a=1&b");
  EXPECT_EQ(text_of(request.body), "body \xff");
  EXPECT_EQ(text_of(request.request_id), "id-1");
  EXPECT_EQ(request.now_epoch_ms, 42U);
  EXPECT_EQ(lines_of(request.headers),
            (std::vector<std::pair<std::string, std::string>>{{"host", "a.test"},
                                                              {"authorization", "Bearer secret"},
                                                              {"x-lower", "caf\xc3\xa9"},
                                                              {"x-mixed", ""},
                                                              {"x-lower", "again"}}));
  // Names in lower case and all values are the head's own text.
  EXPECT_EQ(static_cast<const void*>(request.headers.data[2].name.data),
            static_cast<const void*>(head.fields[2].name.data()));
  EXPECT_EQ(static_cast<const void*>(request.headers.data[0].value.data),
            static_cast<const void*>(head.fields[0].value.data()));
}

TEST(Records, ShowResponseFieldsThatAreNoUtf8AsLatin1) {
  Arena arena;
  http::ResponseHead head(arena);
  head.status = 201;
  head.fields.add("X-Latin", "caf\xe9");
  head.fields.add("X-Utf8", "caf\xc3\xa9");
  sg_response response = lower_response({head, "ok"}, arena);
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(text_of(response.body), "ok");
  EXPECT_EQ(lines_of(response.headers),
            (std::vector<std::pair<std::string, std::string>>{{"x-latin", "caf\xc3\xa9"}, {"x-utf8", "caf\xc3\xa9"}}));
  EXPECT_EQ(head.fields[0].value, "caf\xe9");
}

TEST(Records, CarryAnEmptyMessage) {
  Arena arena;
  http::ResponseHead head(arena);
  sg_response response = lower_response({head, ""}, arena);
  EXPECT_EQ(response.headers.len, 0U);
  EXPECT_EQ(response.body.len, 0U);
}

// An engine's action whose text disappears after lifting.
struct EngineAction {
  std::vector<std::string> texts;
  std::vector<sg_header> set;
  std::vector<sg_header> add;
  std::vector<sg_bytes> remove;
  sg_action action{};

  EngineAction() {
    texts.reserve(64);
    action.tag = SG_ACTION_MODIFY;
  }
  sg_bytes keep(std::string text) { return bytes_of(texts.emplace_back(std::move(text))); }
  const sg_action& build() {
    action.headers_set = {set.data(), set.size()};
    action.headers_add = {add.data(), add.size()};
    action.headers_remove = remove.data();
    action.headers_remove_len = remove.size();
    return action;
  }
  void forget() {
    for (std::string& text : texts) text.assign(text.size(), '?');
  }
};

TEST(Records, LiftAnActionThatOutlivesTheEngines) {
  Arena arena;
  EngineAction engine;
  engine.set = {{engine.keep("X-Set"), engine.keep("one")}};
  engine.add = {{engine.keep("x-add"), engine.keep(" \tblanks around ")}, {engine.keep("x-add"), engine.keep("")}};
  engine.remove = {engine.keep("x-gone")};
  engine.action.has_status = true;
  engine.action.status = 418;
  engine.action.has_body = true;
  engine.action.body = engine.keep(std::string("bytes \0\xff", 8));
  Outcome lifted = lift_action(engine.build(), arena);
  engine.forget();
  ASSERT_TRUE(lifted.has_value()) << lifted.error().detail;
  EXPECT_EQ(lifted->kind, Action::Kind::kModify);
  EXPECT_EQ(lifted->status, 418);
  ASSERT_EQ(lifted->set.size(), 1U);
  EXPECT_EQ(lifted->set[0].name, "X-Set");
  EXPECT_EQ(lifted->set[0].value, "one");
  ASSERT_EQ(lifted->add.size(), 2U);
  EXPECT_EQ(lifted->add[0].value, "blanks around");
  EXPECT_EQ(lifted->add[1].value, "");
  ASSERT_EQ(lifted->remove.size(), 1U);
  EXPECT_EQ(lifted->remove[0], "x-gone");
  EXPECT_EQ(lifted->body, std::string_view("bytes \0\xff", 8));
}

TEST(Records, TellAnEmptyBodyFromNone) {
  Arena arena;
  EngineAction engine;
  EXPECT_EQ(lift_action(engine.build(), arena)->body, std::nullopt);
  engine.action.has_body = true;
  EXPECT_EQ(lift_action(engine.build(), arena)->body, std::string_view(""));
}

TEST(Records, LiftTheOtherActions) {
  Arena arena;
  sg_action action{};
  action.tag = SG_ACTION_CONTINUE;
  action.has_status = true;  // means nothing here
  EXPECT_EQ(lift_action(action, arena)->kind, Action::Kind::kContinue);
  EXPECT_EQ(lift_action(action, arena)->status, std::nullopt);
  action.tag = SG_ACTION_REJECT;
  action.status = 403;
  EXPECT_EQ(lift_action(action, arena)->kind, Action::Kind::kReject);
  EXPECT_EQ(lift_action(action, arena)->status, 403);
}

TEST(Records, RefuseTooManyEditsBeforeCopyingAny) {
  EngineAction engine;
  engine.add.assign(1'000'000, {bytes_of("x"), bytes_of("1")});
  Arena arena;
  Outcome lifted = lift_action(engine.build(), arena);
  ASSERT_FALSE(lifted.has_value());
  EXPECT_EQ(lifted.error().kind, sandbox::FailureKind::kInvalidEdit);
  EXPECT_EQ(arena.bytes_reserved(), 0U);
}

TEST(Records, RefuseTooMuchTextBeforeCopyingIt) {
  std::string large(8 << 20, 'a');
  EngineAction engine;
  engine.set = {{bytes_of("x"), bytes_of(large)}};
  Arena arena;
  Outcome lifted = lift_action(engine.build(), arena);
  ASSERT_FALSE(lifted.has_value());
  EXPECT_EQ(lifted.error().kind, sandbox::FailureKind::kInvalidEdit);
  EXPECT_LE(arena.bytes_reserved(), 2 * Arena::kBlockBytes);
}

}  // namespace
}  // namespace sandgate::abi::router_middleware
