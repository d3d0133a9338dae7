// SPDX-License-Identifier: Apache-2.0
#include "abi/router_middleware/actions.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "abi/router_middleware/limits.h"

namespace sandgate::abi::router_middleware {
namespace {

using Lines = std::vector<std::pair<std::string, std::string>>;

struct Edits {
  std::vector<HeaderEdit> set;
  std::vector<HeaderEdit> add;
  std::vector<std::string_view> remove;

  Action action() const {
    Action made;
    made.kind = Action::Kind::kModify;
    made.set = set;
    made.add = add;
    made.remove = remove;
    return made;
  }
};

Lines lines_of(const http::Fields& fields) {
  Lines lines;
  for (const http::Field& field : fields) lines.emplace_back(field.name, field.value);
  return lines;
}

struct Applied {
  Lines lines;
  std::vector<std::string> ignored;
  std::string authority;
};

Applied apply_request(const Lines& before, const Edits& edits) {
  Arena arena;
  http::RequestHead head(arena);
  head.authority = "old.test";
  for (const auto& [name, value] : before) head.fields.add_copy(name, value);
  Applied applied;
  apply_to_request(edits.action(), head, [&](std::string_view name) { applied.ignored.emplace_back(name); });
  applied.lines = lines_of(head.fields);
  applied.authority = head.authority;
  return applied;
}

Applied apply_response(const Lines& before, const Edits& edits) {
  Arena arena;
  http::ResponseHead head(arena);
  for (const auto& [name, value] : before) head.fields.add_copy(name, value);
  Applied applied;
  apply_to_response(edits.action(), head, [&](std::string_view name) { applied.ignored.emplace_back(name); });
  applied.lines = lines_of(head.fields);
  return applied;
}

struct Case {
  const char* what;
  Lines before;
  Edits edits;
  Lines after;
};

TEST(Actions, EditFieldsInTheOrderSetAddRemove) {
  const Case cases[] = {
      {"nothing", {{"A", "1"}}, {}, {{"A", "1"}}},
      {"set replaces all lines, at the place of the first",
       {{"x-a", "1"}, {"b", "2"}, {"X-A", "3"}},
       {.set = {{"X-a", "new"}}},
       {{"X-a", "new"}, {"b", "2"}}},
      {"set appends what is not there", {{"b", "2"}}, {.set = {{"a", "1"}}}, {{"b", "2"}, {"a", "1"}}},
      {"the last set of a name stays", {}, {.set = {{"a", "1"}, {"A", "2"}}}, {{"A", "2"}}},
      {"add appends", {{"a", "1"}}, {.add = {{"a", "2"}, {"A", "3"}}}, {{"a", "1"}, {"a", "2"}, {"A", "3"}}},
      {"remove takes all lines of a name", {{"a", "1"}, {"b", "2"}, {"A", "3"}}, {.remove = {"a"}}, {{"b", "2"}}},
      {"remove of what is not there", {{"b", "2"}}, {.remove = {"a"}}, {{"b", "2"}}},
      {"set, then add", {{"a", "0"}}, {.set = {{"a", "1"}}, .add = {{"a", "2"}}}, {{"a", "1"}, {"a", "2"}}},
      {"remove comes last",
       {{"a", "0"}},
       {.set = {{"a", "1"}, {"b", "1"}}, .add = {{"a", "2"}, {"c", "3"}}, .remove = {"A"}},
       {{"b", "1"}, {"c", "3"}}},
      {"bytes of other lines stay",
       {{"x", "caf\xe9"}, {"y", "\xff"}},
       {.set = {{"z", "1"}}},
       {{"x", "caf\xe9"}, {"y", "\xff"}, {"z", "1"}}},
  };
  for (const Case& edited : cases) {
    EXPECT_EQ(apply_request(edited.before, edited.edits).lines, edited.after) << edited.what;
    EXPECT_EQ(apply_response(edited.before, edited.edits).lines, edited.after) << edited.what;
    EXPECT_TRUE(apply_request(edited.before, edited.edits).ignored.empty()) << edited.what;
  }
}

TEST(Actions, IgnoreAndReportEditsOfWhatTheGatewayDecides) {
  for (const char* name :
       {"connection", "Keep-Alive", "proxy-connection", "Proxy-Authenticate", "proxy-authorization", "TE", "trailer",
        "Transfer-Encoding", "upgrade", "HTTP2-Settings", "Content-Length", "expect"}) {
    Lines before = {{"Content-Length", "5"}, {"TE", "trailers"}, {"x", "1"}};
    Edits edits{.set = {{name, "1"}}, .add = {{name, "2"}}, .remove = {name}};
    std::vector<std::string> reported(3, name);
    Applied request = apply_request(before, edits);
    EXPECT_EQ(request.lines, before) << name;
    EXPECT_EQ(request.ignored, reported) << name;
    Applied response = apply_response(before, edits);
    EXPECT_EQ(response.lines, before) << name;
    EXPECT_EQ(response.ignored, reported) << name;
  }
}

TEST(Actions, MayReplaceHostOfARequestOnly) {
  Lines before = {{"Host", "old.test"}};
  Applied replaced = apply_request(before, {.set = {{"host", "new.test:8080"}}});
  EXPECT_EQ(replaced.lines, (Lines{{"host", "new.test:8080"}}));
  EXPECT_EQ(replaced.authority, "new.test:8080");
  EXPECT_TRUE(replaced.ignored.empty());
  for (const Edits& edits :
       {Edits{.set = {{"host", "user@new.test"}}}, Edits{.set = {{"host", ""}}}, Edits{.set = {{"host", "a b"}}},
        Edits{.add = {{"host", "new.test"}}}, Edits{.remove = {"HOST"}}}) {
    Applied applied = apply_request(before, edits);
    EXPECT_EQ(applied.lines, before);
    EXPECT_EQ(applied.authority, "old.test");
    EXPECT_EQ(applied.ignored.size(), 1U);
  }
  Applied response = apply_response({{"x", "1"}}, {.set = {{"host", "new.test"}}});
  EXPECT_EQ(response.lines, (Lines{{"x", "1"}}));
  EXPECT_EQ(response.ignored, (std::vector<std::string>{"host"}));
}

TEST(Actions, ApplyWithoutAListener) {
  Arena arena;
  http::ResponseHead head(arena);
  Edits edits{.set = {{"te", "1"}}};
  apply_to_response(edits.action(), head, {});
  EXPECT_TRUE(head.fields.empty());
}

sandbox::FailureKind failure_of(const Action& action) {
  std::expected<void, sandbox::GuestFailure> checked = validate(action);
  EXPECT_FALSE(checked.has_value());
  if (checked) return sandbox::FailureKind::kInternal;
  EXPECT_FALSE(checked.error().detail.empty());
  return checked.error().kind;
}

TEST(Actions, RefuseEditsThatAreNoValidHttp) {
  for (std::string_view name : {"", " ", "x bad", "x:", "x\r\n", "x\ny", "x\x7f", "caf\xc3\xa9", "x\"", "(x)"}) {
    EXPECT_EQ(failure_of(Edits{.set = {{name, "1"}}}.action()), sandbox::FailureKind::kInvalidEdit) << name;
    EXPECT_EQ(failure_of(Edits{.add = {{name, "1"}}}.action()), sandbox::FailureKind::kInvalidEdit) << name;
    EXPECT_EQ(failure_of(Edits{.remove = {name}}.action()), sandbox::FailureKind::kInvalidEdit) << name;
  }
  for (std::string_view value :
       {std::string_view("a\rb"), std::string_view("a\nb"), std::string_view("a\0b", 3), std::string_view("\x7f"),
        std::string_view("1\r\nx-injected: 1"), std::string_view("\x01")}) {
    EXPECT_EQ(failure_of(Edits{.set = {{"x", value}}}.action()), sandbox::FailureKind::kInvalidEdit) << value;
    EXPECT_EQ(failure_of(Edits{.add = {{"x", value}}}.action()), sandbox::FailureKind::kInvalidEdit) << value;
  }
  // Even where the edit would be ignored anyway.
  EXPECT_EQ(failure_of(Edits{.set = {{"content-length", "1\r\n"}}}.action()), sandbox::FailureKind::kInvalidEdit);
}

TEST(Actions, AcceptEditsThatAreValidHttp) {
  for (std::string_view value : {"", "1", "a b\tc", "caf\xc3\xa9", "\"quoted, list\""}) {
    EXPECT_TRUE(
        validate(Edits{.set = {{"X-Name_1.~", value}}, .add = {{"x", value}}, .remove = {"y"}}.action()).has_value())
        << value;
  }
  EXPECT_TRUE(validate(Action{}).has_value());
}

TEST(Actions, HaveAFinalStatus) {
  struct StatusCase {
    Action::Kind kind;
    std::optional<int> status;
    bool valid;
  };
  using enum Action::Kind;
  for (const StatusCase& checked : {StatusCase{kReject, 200, true},
                                    {kReject, 403, true},
                                    {kReject, 599, true},
                                    {kReject, 199, false},
                                    {kReject, 100, false},
                                    {kReject, 600, false},
                                    {kReject, 0, false},
                                    {kReject, 65535, false},
                                    {kReject, std::nullopt, false},
                                    {kModify, std::nullopt, true},
                                    {kModify, 204, true},
                                    {kModify, 101, false},
                                    {kModify, 999, false}}) {
    Action action;
    action.kind = checked.kind;
    action.status = checked.status;
    EXPECT_EQ(validate(action).has_value(), checked.valid) << checked.status.value_or(-1);
  }
}

TEST(Actions, HaveBoundsOnCountAndSize) {
  std::vector<HeaderEdit> edits(kEditsMax, HeaderEdit{"x", "1"});
  std::vector<std::string_view> names(kEditsMax, "x");
  EXPECT_TRUE(validate(Edits{.set = edits, .add = edits, .remove = names}.action()).has_value());
  edits.push_back({"x", "1"});
  names.push_back("x");
  EXPECT_EQ(failure_of(Edits{.set = edits}.action()), sandbox::FailureKind::kInvalidEdit);
  EXPECT_EQ(failure_of(Edits{.add = edits}.action()), sandbox::FailureKind::kInvalidEdit);
  EXPECT_EQ(failure_of(Edits{.remove = names}.action()), sandbox::FailureKind::kInvalidEdit);

  std::string half(kEditBytesMax / 2 - 1, 'v');
  EXPECT_TRUE(validate(Edits{.set = {{"a", half}}, .add = {{"b", half}}}.action()).has_value());
  EXPECT_EQ(failure_of(Edits{.set = {{"a", half}}, .add = {{"b", half}}, .remove = {"c"}}.action()),
            sandbox::FailureKind::kInvalidEdit);
}

}  // namespace
}  // namespace sandgate::abi::router_middleware
