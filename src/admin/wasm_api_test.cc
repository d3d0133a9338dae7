// SPDX-License-Identifier: Apache-2.0
#include "admin/wasm_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cctype>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "platform/digest.h"
#include "sandbox/testing/guests.h"
#include "tests/support/fake_exchange.h"
#include "tests/support/temporary_folder.h"

namespace sandgate::admin {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

constexpr const char* kUuid = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";

// Knows the guests of the tests.
class FakeCompiler final : public sandbox::Compiler {
 public:
  Task<Result<std::shared_ptr<const sandbox::Module>>> compile(std::string_view wasm, std::string_view, sandbox::Grants,
                                                               Loop&) override {
    for (const char* guest : {"both_hooks", "only_response", "reject_403"}) {
      if (wasm == test::read_guest(guest)) co_return sandbox::testing::test_module(guest);
    }
    co_return fail(ErrorKind::kInvalid, "the module is not valid", "hidden cause");
  }
  Result<std::shared_ptr<const sandbox::Module>> compile_now(std::string_view, std::string_view,
                                                             const sandbox::Grants&) override {
    return fail(ErrorKind::kUnsupported, "not for tests of the API");
  }
};

class WasmApiTest : public sandbox::testing::GuestTest {
 protected:
  std::string guest_file(const std::string& guest) { return folder_.write(guest + ".wasm", test::read_guest(guest)); }
  static std::string module_json(const std::string& name, const std::string& path,
                                 const std::string& point = "OnRequest") {
    return R"({"name":")" + name + R"(","file_path":")" + path +
           R"(","module_type":"Middleware","attach_points":[{"Middleware":")" + point + R"("}]})";
  }
  test::SentResponse post(std::string_view body, std::string_view content_type = "application/json") {
    test::FakeExchange fake("POST", "/wasm");
    if (!content_type.empty()) fake.add_field("Content-Type", content_type);
    fake.set_body(body);
    return finish(fake);
  }
  test::SentResponse post_modules(const std::string& modules) { return post(R"({"modules":[)" + modules + "]}"); }
  test::SentResponse put(std::string_view name, std::string_view query, std::string_view body,
                         std::string_view content_type = "application/wasm") {
    test::FakeExchange fake("PUT", "/wasm/" + std::string(name));
    fake.exchange.request.query = fake.arena.copy(query);
    if (!content_type.empty()) fake.add_field("Content-Type", content_type);
    fake.set_body(body);
    return finish(fake);
  }
  test::SentResponse call(std::string_view method, std::string_view path) {
    test::FakeExchange fake(method, path);
    return finish(fake);
  }
  test::SentResponse finish(test::FakeExchange& fake) {
    EXPECT_TRUE(test::serve(api_, fake));
    EXPECT_TRUE(fake.sent().finished);
    return fake.sent();
  }
  static boost::json::value json(const test::SentResponse& sent) { return boost::json::parse(sent.body); }
  static std::string result_of(const test::SentResponse& sent, std::size_t index, const char* which) {
    boost::json::value parsed = json(sent);
    const auto& result = parsed.at("modules").at(index).at("add_result").as_object();
    return result.contains(which) ? std::string(result.at(which).as_string()) : std::string();
  }
  void expect_problem(const test::SentResponse& sent, int status, const std::string& detail) {
    EXPECT_EQ(sent.status, status);
    EXPECT_EQ(sent.field("content-type"), "application/problem+json");
    boost::json::value parsed = json(sent);
    EXPECT_EQ(parsed.at("status").as_int64(), status);
    EXPECT_THAT(std::string(parsed.at("detail").as_string()), HasSubstr(detail));
    EXPECT_EQ(parsed.at("message"), parsed.at("detail"));
  }

  test::TemporaryFolder folder_;
  modules::ModuleStore store_;
  FakeCompiler compiler_;
  modules::Registry registry_{store_, nullptr};
  modules::Deployer deployer_{registry_, compiler_, ""};
  WasmApi api_{store_, deployer_};
};

TEST_F(WasmApiTest, DeploysAndEchoesWithTheUuid) {
  std::string path = guest_file("both_hooks");
  test::SentResponse sent = post_modules(module_json("auth", path));
  EXPECT_EQ(sent.status, 200);
  EXPECT_EQ(sent.field("content-type"), "application/json");
  boost::json::value parsed = json(sent);
  ASSERT_EQ(parsed.at("modules").as_array().size(), 1U);
  const boost::json::value& module = parsed.at("modules").at(0);
  EXPECT_EQ(module.at("name"), "auth");
  EXPECT_EQ(std::string(module.at("file_path").as_string()), path);
  EXPECT_EQ(module.at("module_type"), "Middleware");
  EXPECT_EQ(module.at("attach_points"), boost::json::parse(R"([{"Middleware":"OnRequest"}])"));
  EXPECT_THAT(result_of(sent, 0, "Success"), MatchesRegex(kUuid));
  EXPECT_EQ(store_.snapshot()->all.at(0)->uuid, result_of(sent, 0, "Success"));
}

TEST_F(WasmApiTest, GoesOnAfterAFailureAndTakesNothingBack) {
  test::SentResponse sent =
      post_modules(module_json("a", guest_file("both_hooks")) + "," + module_json("b", folder_.path("missing.wasm")) +
                   "," + module_json("c", guest_file("reject_403")));
  EXPECT_EQ(sent.status, 400);
  EXPECT_NE(result_of(sent, 0, "Success"), "");
  EXPECT_THAT(result_of(sent, 1, "Error"), StartsWith("Module file is not available at the requested path"));
  EXPECT_NE(result_of(sent, 2, "Success"), "");
  EXPECT_EQ(store_.snapshot()->all.size(), 2U);
  EXPECT_EQ(store_.snapshot()->all.at(1)->name, "c");
}

TEST_F(WasmApiTest, TakesAnEmptyList) {
  test::SentResponse sent = post(R"({"modules":[]})");
  EXPECT_EQ(sent.status, 200);
  EXPECT_EQ(sent.body, "{\"modules\":[]}\n");
}

TEST_F(WasmApiTest, TellsWhyAModuleWasNotDeployed) {
  ASSERT_EQ(post_modules(module_json("auth", guest_file("both_hooks"))).status, 200);
  struct Case {
    std::string module;
    std::string error;
  };
  const Case cases[] = {
      {module_json("", "/a.wasm"), "Module name cannot be empty"},
      {module_json("a", ""), "Module file path cannot be empty"},
      {module_json("a", "a.wasm"), "Module file path must be absolute"},
      {module_json("a", "/etc/passwd"), "Module file must have .wasm extension"},
      {module_json("a", folder_.write("empty.wasm", "")), "Module file size cannot be 0"},
      {module_json("a", folder_.write("random.wasm", "random")), "Invalid WASM component: "},
      {module_json("a", folder_.write("cut.wasm", std::string("\0asm\x0d", 5))), "Invalid WASM component: "},
      {module_json("a", guest_file("reject_403"), "OnError"), "Attach point OnError needs the export"},
      {module_json("a", guest_file("only_response"), "OnRequest"), "Attach point OnRequest needs the export"},
      {module_json("auth", guest_file("reject_403")), "module with same name already exists"},
      {module_json("a", guest_file("both_hooks")), "module with same sha256 already exists"},
  };
  for (const Case& c : cases) {
    test::SentResponse sent = post_modules(c.module);
    EXPECT_EQ(sent.status, 400) << c.error;
    EXPECT_THAT(result_of(sent, 0, "Error"), HasSubstr(c.error));
    EXPECT_EQ(sent.body.find("hidden cause"), std::string::npos);
  }
  EXPECT_EQ(store_.snapshot()->all.size(), 1U);
}

TEST_F(WasmApiTest, TakesJsonMediaTypesOnly) {
  for (const char* type :
       {"", "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "json", "+json"}) {
    expect_problem(post(R"({"modules":[]})", type), 415, "application/json");
  }
  for (const char* type : {"application/json", "Application/JSON; charset=utf-8", "application/vnd.x+json"}) {
    EXPECT_EQ(post(R"({"modules":[]})", type).status, 200) << type;
  }
}

TEST_F(WasmApiTest, TellsBadJsonFromAnotherShape) {
  expect_problem(post("{"), 400, "not valid JSON");
  expect_problem(post(R"({"modules":[{"name":1}]})"), 422, "modules[0].name: expected a string");
}

TEST_F(WasmApiTest, HasABoundOnTheBody) {
  expect_problem(post(std::string(WasmApi::kBodyBytesMax + 1, ' ')), 413, "1 MiB");
  EXPECT_EQ(post(R"({"modules":[]})" + std::string(WasmApi::kBodyBytesMax - 14, ' ')).status, 200);
}

TEST_F(WasmApiTest, StopsReadingABodyOfUnknownLengthAtTheBound) {
  test::FakeExchange fake("POST", "/wasm");
  fake.add_field("Content-Type", "application/json");
  auto body = std::make_unique<test::PiecesBody>(std::vector<std::string>(100, std::string(100'000, ' ')));
  const test::PiecesBody& pieces = *body;
  fake.set_body(std::move(body));
  expect_problem(finish(fake), 413, "1 MiB");
  EXPECT_EQ(pieces.pieces_read(), 11U);
}

TEST_F(WasmApiTest, ReadsABodyInPieces) {
  test::FakeExchange fake("POST", "/wasm");
  fake.add_field("Content-Type", "application/json");
  fake.set_body(std::make_unique<test::PiecesBody>(std::vector<std::string>{"{\"mod", "ules\"", ":[]}"}));
  EXPECT_EQ(finish(fake).status, 200);
}

TEST_F(WasmApiTest, AnswersABodyThatBreaksOff) {
  const std::pair<ErrorKind, int> cases[] = {
      {ErrorKind::kTimedOut, 408}, {ErrorKind::kInvalid, 400}, {ErrorKind::kTooLarge, 413}};
  for (const auto& [kind, status] : cases) {
    test::FakeExchange fake("POST", "/wasm");
    fake.add_field("Content-Type", "application/json");
    fake.set_body(std::make_unique<test::PiecesBody>(std::vector<std::string>{"{"}, Error(kind, "broke off")));
    EXPECT_EQ(finish(fake).status, status);
  }
}

TEST_F(WasmApiTest, ListsModulesInOrderOfDeployment) {
  ASSERT_EQ(post_modules(module_json("z", guest_file("both_hooks")) + "," + module_json("a", guest_file("reject_403")))
                .status,
            200);
  test::SentResponse sent = call("GET", "/wasm");
  EXPECT_EQ(sent.status, 200);
  EXPECT_EQ(sent.field("content-type"), "application/json");
  boost::json::value parsed = json(sent);
  ASSERT_EQ(parsed.at("modules").as_array().size(), 2U);
  const boost::json::value& meta = parsed.at("modules").at(0).at("module_meta");
  EXPECT_EQ(meta.at("name"), "z");
  EXPECT_EQ(parsed.at("modules").at(1).at("module_meta").at("name"), "a");
  EXPECT_EQ(std::string(meta.at("sha256_hash").as_string()), platform::sha256_hex(test::read_guest("both_hooks")));
  EXPECT_EQ(meta.at("size_bytes").to_number<std::size_t>(), test::read_guest("both_hooks").size());
  EXPECT_EQ(meta.at("access_count").as_int64(), 0);
  EXPECT_EQ(meta.at("created_at"), meta.at("last_accessed_at"));
  EXPECT_EQ(parsed.at("metrics").at("total_executions").as_int64(), 0);
  EXPECT_EQ(parsed.at("metrics").at("average_execution_time_ms").as_double(), 0.0);
}

TEST_F(WasmApiTest, ReportsExecutionsThatAddUp) {
  store_.total_stats().record(Nanoseconds(1'500'000), true);
  store_.total_stats().record(Nanoseconds(500'000), false);
  boost::json::value metrics = json(call("GET", "/wasm")).at("metrics");
  EXPECT_EQ(metrics.at("total_executions").as_int64(), 2);
  EXPECT_EQ(metrics.at("successful_executions").as_int64(), 1);
  EXPECT_EQ(metrics.at("failed_executions").as_int64(), 1);
  EXPECT_EQ(metrics.at("total_execution_time_ms").to_number<double>(), 2.0);
  EXPECT_EQ(metrics.at("max_execution_time_ms").to_number<double>(), 1.5);
  EXPECT_EQ(metrics.at("average_execution_time_ms").to_number<double>(), 1.0);
}

TEST_F(WasmApiTest, RemovesByUuidInAnyCase) {
  test::SentResponse sent = post_modules(module_json("auth", guest_file("both_hooks")));
  std::string uuid = result_of(sent, 0, "Success");
  for (char& c : uuid) c = static_cast<char>(std::toupper(c));
  test::SentResponse removed = call("DELETE", "/wasm/" + uuid);
  EXPECT_EQ(removed.status, 200);
  EXPECT_THAT(removed.field("content-type"), StartsWith("text/plain"));
  EXPECT_EQ(removed.body, "Module removed successfully");
  EXPECT_TRUE(store_.snapshot()->all.empty());
  expect_problem(call("DELETE", "/wasm/" + uuid), 404, "not found");
}

TEST_F(WasmApiTest, TellsAnUnknownUuidFromNone) {
  expect_problem(call("DELETE", "/wasm/11111111-2222-4333-8444-555555555555"), 404,
                 "11111111-2222-4333-8444-555555555555");
  for (const char* path : {"/wasm/x", "/wasm/11111111-2222-4333-8444-55555555555",
                           "/wasm/11111111-2222-4333-8444-5555555555555", "/wasm/11111111-2222-4333-8444-55555555555g",
                           "/wasm/11111111222243338444555555555555", "/wasm/{11111111-2222-4333-8444-5555555555}"}) {
    expect_problem(call("DELETE", path), 400, "not a UUID");
  }
}

TEST_F(WasmApiTest, NamesTheMethodsOfAPath) {
  for (const char* method : {"PUT", "PATCH", "DELETE", "OPTIONS", "get"}) {
    test::SentResponse sent = call(method, "/wasm");
    EXPECT_EQ(sent.status, 405) << method;
    EXPECT_EQ(sent.field("allow"), "GET, HEAD, POST");
  }
  for (const char* method : {"POST", "PATCH", "OPTIONS"}) {
    test::SentResponse sent = call(method, "/wasm/11111111-2222-4333-8444-555555555555");
    EXPECT_EQ(sent.status, 405) << method;
    EXPECT_EQ(sent.field("allow"), "GET, HEAD, PUT, DELETE");
  }
}

TEST_F(WasmApiTest, KnowsNoOtherPaths) {
  for (const char* path : {"/wasm/", "/wasm/a/b", "/wasm/11111111-2222-4333-8444-555555555555/"}) {
    EXPECT_EQ(call("DELETE", path).status, 404) << path;
  }
}

TEST_F(WasmApiTest, DeploysForAClientThatLeavesBeforeTheReply) {
  test::FakeExchange fake("POST", "/wasm");
  fake.add_field("Content-Type", "application/json");
  fake.set_body(R"({"modules":[)" + module_json("auth", guest_file("both_hooks")) + "]}");
  fake.sink.fail_after = 0;
  Status done = test::serve(api_, fake);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::kDisconnected);
  EXPECT_EQ(store_.snapshot()->all.size(), 1U);
}

TEST_F(WasmApiTest, PutsABodyAndShowsItAsGetDoes) {
  std::string both = test::read_guest("both_hooks");
  test::SentResponse created = put("auth", "attach=OnRequest,OnResponse&on_failure=open", both);
  EXPECT_EQ(created.status, 201) << created.body;
  boost::json::value module = json(created);
  EXPECT_EQ(module.at("module_meta").at("name"), "auth");
  EXPECT_EQ(module.at("module_meta").at("file_path"), "");
  EXPECT_EQ(module.at("module_meta").at("on_failure"), "open");
  EXPECT_EQ(module.at("module_meta").at("attach_points").as_array().size(), 2U);
  EXPECT_EQ(json(call("GET", "/wasm")).at("modules").at(0), module);
  std::string uuid(module.at("module_uuid").as_string());
  EXPECT_EQ(json(call("GET", "/wasm/auth")), module);
  EXPECT_EQ(json(call("GET", "/wasm/" + uuid)), module);

  EXPECT_EQ(put("auth", "attach=OnRequest,OnResponse&on_failure=open", both, "application/octet-stream").status, 200);
  test::SentResponse replaced = put("auth", "attach=OnRequest", test::read_guest("reject_403"), "");
  EXPECT_EQ(replaced.status, 200);
  EXPECT_EQ(json(replaced).at("module_uuid"), module.at("module_uuid"));
  EXPECT_EQ(json(replaced).at("module_meta").at("on_failure"), nullptr);
  EXPECT_EQ(store_.snapshot()->all.size(), 1U);
}

TEST_F(WasmApiTest, PutTakesContentsThatAreDeployedAlreadyAndPostDoesNot) {
  std::string both = test::read_guest("both_hooks");
  EXPECT_EQ(put("a", "attach=OnRequest", both).status, 201);
  EXPECT_EQ(put("b", "attach=OnRequest", both).status, 201);
  test::SentResponse posted = post_modules(module_json("c", guest_file("both_hooks")));
  EXPECT_EQ(posted.status, 400);
  EXPECT_THAT(result_of(posted, 0, "Error"), HasSubstr("same sha256"));
}

TEST_F(WasmApiTest, APutKeepsTheSettingsThatItCannotSay) {
  ASSERT_EQ(post(R"({"modules":[{"name":"auth","file_path":")" + guest_file("both_hooks") +
                 R"(","module_type":"Middleware","attach_points":[],"config":{"key":"value"}}]})")
                .status,
            200);
  ASSERT_EQ(put("auth", "attach=OnRequest", test::read_guest("reject_403")).status, 200);
  const auto& config = store_.snapshot()->all.at(0)->options.config;
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->at(0).second, "value");
}

TEST_F(WasmApiTest, RefusesAPutThatIsWrong) {
  std::string both = test::read_guest("both_hooks");
  expect_problem(put("auth", "", both), 400, "attach: missing");
  expect_problem(put("auth", "attach=OnRequest&colour=blue", both), 400, "colour: there is no such parameter");
  expect_problem(put("auth", "attach=OnRequest", ""), 400, "Invalid WASM component");
  expect_problem(put("auth", "attach=OnRequest", "text"), 400, "Invalid WASM component");
  expect_problem(put("a!b", "attach=OnRequest", both), 400, "Module name may only contain");
  expect_problem(put("auth", "attach=OnRequest", test::read_guest("only_response")), 400, "Attach point OnRequest");
  expect_problem(put("auth", "attach=OnRequest", both, "application/x-www-form-urlencoded"), 415, "application/wasm");
  expect_problem(put("11111111-2222-4333-8444-555555555555", "attach=OnRequest", both), 400, "not its UUID");
  EXPECT_TRUE(store_.snapshot()->all.empty());
}

TEST_F(WasmApiTest, APutHasABoundOnTheBody) {
  test::FakeExchange fake("PUT", "/wasm/auth");
  fake.exchange.request.query = "attach=OnRequest";
  std::string piece(1 << 20, ' ');
  auto body = std::make_unique<test::PiecesBody>(std::vector<std::string>(80, piece));
  const test::PiecesBody& pieces = *body;
  fake.set_body(std::move(body));
  expect_problem(finish(fake), 413, "64 MiB");
  EXPECT_EQ(pieces.pieces_read(), 65U);
}

TEST_F(WasmApiTest, RemovesAndShowsByName) {
  ASSERT_EQ(put("auth", "attach=OnRequest", test::read_guest("both_hooks")).status, 201);
  expect_problem(call("GET", "/wasm/other"), 404, "No module");
  EXPECT_EQ(call("DELETE", "/wasm/auth").body, "Module removed successfully");
  expect_problem(call("GET", "/wasm/auth"), 404, "No module");
}

TEST(WasmElsewhere, SaysWhereItIs) {
  test::FakeExchange fake("GET", "/wasm");
  EXPECT_TRUE(test::serve(WasmElsewhere(), fake));
  EXPECT_EQ(fake.sent().status, 404);
  EXPECT_THAT(fake.sent().body, HasSubstr("--admin-listen"));
}

TEST(WasmOff, SaysHowToTurnItOn) {
  for (const char* method : {"GET", "POST", "DELETE"}) {
    test::FakeExchange fake(method, "/wasm");
    WasmOff off;
    EXPECT_TRUE(test::serve(off, fake));
    EXPECT_EQ(fake.sent().status, 404);
    EXPECT_THAT(fake.sent().body, HasSubstr("--enable-wasm"));
  }
}

}  // namespace
}  // namespace sandgate::admin
