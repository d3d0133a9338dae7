// SPDX-License-Identifier: Apache-2.0
//
// Calls of real guests, from head to action.
#include "abi/router_middleware/calls.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "abi/router_middleware/actions.h"
#include "sandbox/testing/guests.h"

namespace sandgate::abi::router_middleware {
namespace {

using sandbox::Budget;
using sandbox::FailureKind;
using sandbox::Instance;
using sandbox::testing::GuestLoop;

constexpr Budget kLong{.wall = Milliseconds(60'000)};

class CallsTest : public sandbox::testing::GuestTest {
 protected:
  CallsTest() {
    request.method = "GET";
    request.path = "/";
  }

  Outcome call_request(const std::string& guest, const Budget& budget = kLong) {
    Instance instance = guests_.instance(guest, budget);
    return call_request(instance);
  }
  Outcome call_request(Instance& instance) {
    std::optional<Outcome> outcome;
    RequestRecord record{request, body, "request-1", 1234};
    run_request(*this, instance, record, outcome);
    EXPECT_TRUE(guests_.loop.run_until([&] { return outcome.has_value(); }));
    return std::move(*outcome);
  }
  Outcome call_response(const std::string& guest, const Budget& budget = kLong) {
    Instance instance = guests_.instance(guest, budget);
    std::optional<Outcome> outcome;
    ResponseRecord record{response, body};
    run_response(*this, instance, record, outcome);
    EXPECT_TRUE(guests_.loop.run_until([&] { return outcome.has_value(); }));
    return std::move(*outcome);
  }

  // The value that the action sets; "none" when it does not.
  static std::string set_value(const Outcome& outcome, std::string_view name) {
    if (!outcome) return "failed: " + outcome.error().detail;
    for (const HeaderEdit& edit : outcome->set) {
      if (edit.name == name) return std::string(edit.value);
    }
    return "none";
  }

  GuestLoop guests_;
  Arena arena_;
  Cancellation cancellation_;
  http::RequestHead request{arena_};
  http::ResponseHead response{arena_};
  std::string body;

 private:
  static Detached run_request(CallsTest& test, Instance& instance, const RequestRecord& record,
                              std::optional<Outcome>& outcome) {
    Outcome ended = co_await on_request(*test.guests_.queue, instance, record, test.arena_, test.cancellation_);
    outcome = std::move(ended);
  }
  static Detached run_response(CallsTest& test, Instance& instance, const ResponseRecord& record,
                               std::optional<Outcome>& outcome) {
    Outcome ended = co_await on_response(*test.guests_.queue, instance, record, test.arena_, test.cancellation_);
    outcome = std::move(ended);
  }
};

TEST_F(CallsTest, GivesTheGuestTheRequest) {
  request.method = "PUT";
  request.path = "/a/b";
  request.query = "x=%20";
  request.fields.add("Host", "a.test");
  request.fields.add("X-Echo-Me", "caf\xc3\xa9");
  request.fields.add("x-echo-me", "second");
  body = std::string(70'000, 'b');
  Outcome outcome = call_request("echo_request");
  EXPECT_EQ(set_value(outcome, "x-echo-method"), "PUT");
  EXPECT_EQ(set_value(outcome, "x-echo-path"), "/a/b");
  EXPECT_EQ(set_value(outcome, "x-echo-query"), "x=%20");
  EXPECT_EQ(set_value(outcome, "x-echo-request-id"), "request-1");
  EXPECT_EQ(set_value(outcome, "x-echo-time"), "1234");
  EXPECT_EQ(set_value(outcome, "x-echo-headers"), "3");
  EXPECT_EQ(set_value(outcome, "x-echo-body-length"), "70000");
  ASSERT_EQ(outcome->add.size(), 2U);
  EXPECT_EQ(outcome->add[0].value, "caf\xc3\xa9");
  EXPECT_EQ(outcome->add[1].value, "second");
}

TEST_F(CallsTest, GivesTheGuestTheResponse) {
  response.status = 404;
  response.fields.add("X-Latin", "caf\xe9");
  body = "not here";
  Outcome outcome = call_response("only_response");
  EXPECT_EQ(set_value(outcome, "x-echo-status"), "404");
  EXPECT_EQ(set_value(outcome, "x-echo-headers"), "1");
  EXPECT_EQ(set_value(outcome, "x-echo-body-length"), "8");
}

TEST_F(CallsTest, UnderstandsEachAction) {
  Outcome proceed = call_request("continue_all");
  ASSERT_TRUE(proceed.has_value());
  EXPECT_EQ(proceed->kind, Action::Kind::kContinue);
  Outcome reject = call_request("reject_403");
  ASSERT_TRUE(reject.has_value());
  EXPECT_EQ(reject->kind, Action::Kind::kReject);
  EXPECT_EQ(reject->status, 403);
  Outcome replace = call_request("replace_request_body");
  ASSERT_TRUE(replace.has_value());
  EXPECT_EQ(replace->kind, Action::Kind::kModify);
  EXPECT_TRUE(replace->body.has_value());
}

TEST_F(CallsTest, WorksUnderEachPackageName) {
  for (const char* guest : {"continue_all", "sgl_model_gateway_name", "smg_gateway_name"}) {
    EXPECT_TRUE(call_request(guest).has_value()) << guest;
    EXPECT_TRUE(call_response(guest).has_value()) << guest;
  }
}

TEST_F(CallsTest, AppliesSetAddAndRemove) {
  request.fields.add("X-Set", "old");
  request.fields.add("X-Add", "zeroth");
  request.fields.add("x-remove", "1");
  Outcome outcome = call_request("set_add_remove");
  ASSERT_TRUE(outcome.has_value()) << outcome.error().detail;
  apply_to_request(*outcome, request, {});
  std::string text;
  for (const http::Field& field : request.fields)
    text += std::string(field.name) + "=" + std::string(field.value) + ";";
  EXPECT_EQ(text, "x-set=new;X-Add=zeroth;x-add=first;x-add=second;");
}

TEST_F(CallsTest, IgnoresEditsOfFraming) {
  response.fields.add("Content-Length", "8");
  Outcome outcome = call_response("framing_edit");
  ASSERT_TRUE(outcome.has_value()) << outcome.error().detail;
  std::size_t ignored = 0;
  apply_to_response(*outcome, response, [&](std::string_view) { ++ignored; });
  ASSERT_EQ(response.fields.size(), 2U);
  EXPECT_EQ(response.fields.find("content-length"), "8");
  EXPECT_EQ(response.fields.find("x-allowed"), "1");
  EXPECT_EQ(ignored, 13U);
}

TEST_F(CallsTest, FailsTheModuleForEditsThatAreNoHttp) {
  for (const char* query :
       {"name_space", "name_empty", "name_crlf", "value_cr", "value_lf", "value_nul", "add", "remove", ""}) {
    request.query = query;
    Outcome outcome = call_request("invalid_header");
    ASSERT_FALSE(outcome.has_value()) << query;
    EXPECT_EQ(outcome.error().kind, FailureKind::kInvalidEdit) << query;
  }
  EXPECT_EQ(call_response("invalid_header").error().kind, FailureKind::kInvalidEdit);
  request.query = "";
  EXPECT_EQ(call_request("reject_invalid_status").error().kind, FailureKind::kInvalidEdit);
}

TEST_F(CallsTest, FailsTheModuleForResultsThatBreakTheInterface) {
  for (const char* guest : {"bad_utf8_result", "bad_discriminant", "bad_result_pointer"}) {
    Outcome outcome = call_request(guest);
    ASSERT_FALSE(outcome.has_value()) << guest;
    EXPECT_EQ(failure_kind_name(outcome.error().kind), "bad_result") << guest << ": " << outcome.error().detail;
  }
}

TEST_F(CallsTest, BoundsWhatAGuestHandsOver) {
  for (const char* query : {"overflow", "outside", "body", "many", "repeat", "large"}) {
    request.query = query;
    Outcome outcome =
        call_request("huge_list", {.memory_bytes = 64 << 20, .wall = Milliseconds(60'000), .output_bytes = 1 << 20});
    ASSERT_FALSE(outcome.has_value()) << query;
    FailureKind kind = outcome.error().kind;
    EXPECT_TRUE(kind == FailureKind::kBadResult || kind == FailureKind::kTooLarge || kind == FailureKind::kInvalidEdit)
        << query << failure_kind_name(kind);
    EXPECT_LT(arena_.bytes_reserved(), std::size_t{1} << 20) << query;
  }
}

TEST_F(CallsTest, FailsACallOfAHookThatIsNotThere) {
  Outcome outcome = call_request("only_response");
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().kind, FailureKind::kInternal);
}

TEST_F(CallsTest, ServesBothHooksOfOneInstance) {
  Instance instance = guests_.instance("call_counter", kLong);
  Outcome first = call_request(instance);
  Outcome second = call_request(instance);
  ASSERT_TRUE(first.has_value() && second.has_value());
}

TEST_F(CallsTest, TellsWhichRequestsCanBeShown) {
  request.fields.add("x", "caf\xc3\xa9");
  EXPECT_TRUE(is_presentable(request));
  request.fields.add("y", "caf\xe9");
  EXPECT_FALSE(is_presentable(request));
  request.fields.clear();
  request.query = "a=\xff";
  EXPECT_FALSE(is_presentable(request));
  request.query = "";
  request.path = "/\xc3";
  EXPECT_FALSE(is_presentable(request));
}

}  // namespace
}  // namespace sandgate::abi::router_middleware
