// SPDX-License-Identifier: Apache-2.0
#include "modules/deployer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "platform/digest.h"
#include "sandbox/testing/guests.h"
#include "tests/support/fake_exchange.h"
#include "tests/support/temporary_folder.h"

namespace sandgate::modules {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr AttachPoint kRequest = AttachPoint::kOnRequest;
constexpr AttachPoint kResponse = AttachPoint::kOnResponse;

// Knows the guests of the tests, and that everything else is invalid. May be held up.
class FakeCompiler final : public sandbox::Compiler {
 public:
  Task<Result<std::shared_ptr<const sandbox::Module>>> compile(std::string_view wasm, std::string_view sha256_hex,
                                                               sandbox::Grants, Loop&) override {
    ++calls;
    EXPECT_EQ(sha256_hex, platform::sha256_hex(wasm));
    if (held) {
      Event& gate = gates.emplace_back();
      co_await gate.wait();
    }
    if (failure) co_return fail(*failure);
    for (const char* guest : {"both_hooks", "only_response", "reject_403"}) {
      if (wasm == test::read_guest(guest)) {
        co_return sandbox::testing::test_module(guest);
      }
    }
    co_return fail(ErrorKind::kInvalid, "the module is not valid: unexpected end", "parser state");
  }
  Result<std::shared_ptr<const sandbox::Module>> compile_now(std::string_view, std::string_view,
                                                             const sandbox::Grants&) override {
    return fail(ErrorKind::kUnsupported, "not for tests of the deployer");
  }

  int calls = 0;
  std::optional<Error> failure;
  bool held = false;
  std::deque<Event> gates;  // of the held calls, in order
};

class DeployerTest : public sandbox::testing::GuestTest {
 protected:
  std::string guest_file(const std::string& guest) { return folder_.write(guest + ".wasm", test::read_guest(guest)); }
  Result<std::string> deploy(std::string name, std::string path, std::vector<AttachPoint> points = {kRequest}) {
    return test::run(loop_, deployer_.deploy({std::move(name), std::move(path), std::move(points)}, loop_));
  }
  Result<PutResult> put(std::string name, const std::string& guest, std::vector<AttachPoint> points = {kRequest},
                        ModuleOptions options = {}) {
    Result<Deployer::Place> place = deployer_.enter();
    if (!place) return fail(std::move(place.error()));
    Descriptor descriptor{std::move(name), {}, std::move(points), std::move(options)};
    return test::run(loop_, deployer_.put(std::move(*place), std::move(descriptor), guest, loop_));
  }
  // Starts a deployment and leaves it.
  static Detached start(Task<Result<std::string>> task, std::optional<Result<std::string>>& result) {
    Result<std::string> uuid = co_await task;
    result = std::move(uuid);
  }

  test::TemporaryFolder folder_;
  test::FakeLoop loop_;
  ModuleStore store_;
  FakeCompiler compiler_;
  Registry registry_{store_, nullptr};
  Deployer deployer_{registry_, compiler_, ""};
};

TEST_F(DeployerTest, AddsAModuleWithWhatIsKnownOfIt) {
  std::string path = guest_file("both_hooks");
  Result<std::string> uuid = deploy("auth", path, {kRequest, kResponse, kRequest});
  ASSERT_TRUE(uuid.has_value()) << uuid.error().detail;
  std::shared_ptr<const Snapshot> snapshot = store_.snapshot();
  ASSERT_EQ(snapshot->all.size(), 1U);
  const DeployedModule& module = *snapshot->all[0];
  EXPECT_EQ(module.uuid, *uuid);
  EXPECT_EQ(module.name, "auth");
  EXPECT_EQ(module.file_path, path);
  EXPECT_EQ(module.size_bytes, test::read_guest("both_hooks").size());
  EXPECT_EQ(module.sha256_hex, platform::sha256_hex(test::read_guest("both_hooks")));
  EXPECT_GT(module.created_unix_ns, 0);
  EXPECT_THAT(module.attach_points, testing::ElementsAre(kRequest, kResponse));
  ASSERT_NE(module.module, nullptr);
  EXPECT_TRUE(module.module->serves_on_request());
}

TEST_F(DeployerTest, ReadsNoFileForADescriptorThatIsWrong) {
  EXPECT_EQ(deploy("", "/a.wasm").error().detail, "Module name cannot be empty");
  EXPECT_EQ(compiler_.calls, 0);
}

TEST_F(DeployerTest, TellsThatTheFileIsNotAvailable) {
  Result<std::string> uuid = deploy("a", folder_.path("missing.wasm"));
  EXPECT_THAT(uuid.error().detail, StartsWith("Module file is not available at the requested path"));
  EXPECT_EQ(compiler_.calls, 0);
}

TEST_F(DeployerTest, RefusesWhatIsNoWasmWithoutCompiling) {
  Result<std::string> uuid = deploy("a", folder_.write("a.wasm", "#!/bin/sh\n"));
  EXPECT_EQ(uuid.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(uuid.error().detail,
              AllOf(StartsWith("Invalid WASM component: "), HasSubstr("Hint:"), HasSubstr("wasm-tools component new")));
  EXPECT_EQ(compiler_.calls, 0);
}

TEST_F(DeployerTest, PassesOnWhatTheCompilerSaysWithAHint) {
  Result<std::string> uuid = deploy("a", folder_.write("a.wasm", std::string("\0asm\x0d\0\1\0", 8)));
  EXPECT_THAT(uuid.error().detail,
              AllOf(StartsWith("Invalid WASM component: the module is not valid: unexpected end. Hint:"),
                    HasSubstr("wasm-tools component new")));
  EXPECT_EQ(uuid.error().cause, "parser state");
}

TEST_F(DeployerTest, GivesNoHintAboutTheFormatToARefusedImport) {
  compiler_.failure = Error(ErrorKind::kInvalid, "the import `env` `secret` is not granted");
  EXPECT_EQ(deploy("a", guest_file("both_hooks")).error().detail,
            "Invalid WASM component: the import `env` `secret` is not granted");
}

TEST_F(DeployerTest, GivesNoHintToAModuleThatIsNotToBlame) {
  compiler_.failure = Error(ErrorKind::kOverloaded, "16 modules wait to be compiled");
  EXPECT_EQ(deploy("a", guest_file("both_hooks")).error().detail, "16 modules wait to be compiled");
}

TEST_F(DeployerTest, RefusesAnAttachPointThatNoExportServes) {
  Result<std::string> uuid = deploy("a", guest_file("only_response"), {kResponse, kRequest});
  EXPECT_EQ(uuid.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(uuid.error().detail,
              AllOf(HasSubstr("OnRequest"), HasSubstr("sgl:router/middleware-on-request"), HasSubstr("on-request")));
  EXPECT_TRUE(store_.snapshot()->all.empty());
  EXPECT_TRUE(deploy("a", guest_file("only_response"), {kResponse}).has_value());
}

TEST_F(DeployerTest, RefusesAKnownNameBeforeReading) {
  ASSERT_TRUE(deploy("auth", guest_file("both_hooks")).has_value());
  EXPECT_THAT(deploy("auth", folder_.path("missing.wasm")).error().detail, HasSubstr("same name already exists"));
}

TEST_F(DeployerTest, RefusesAKnownContentBeforeCompiling) {
  ASSERT_TRUE(deploy("auth", guest_file("both_hooks")).has_value());
  int calls = compiler_.calls;
  Result<std::string> uuid = deploy("other", guest_file("both_hooks"));
  EXPECT_THAT(uuid.error().detail, HasSubstr("module with same sha256 already exists"));
  EXPECT_EQ(compiler_.calls, calls);
}

TEST_F(DeployerTest, LetsOneOfTwoWithTheSameNameWin) {
  compiler_.held = true;
  std::optional<Result<std::string>> first;
  std::optional<Result<std::string>> second;
  start(deployer_.deploy({"auth", guest_file("both_hooks"), {kRequest}}, loop_), first);
  start(deployer_.deploy({"auth", guest_file("reject_403"), {kRequest}}, loop_), second);
  ASSERT_TRUE(loop_.run_until([&] { return compiler_.gates.size() == 2; }));
  compiler_.gates[1].set();
  ASSERT_TRUE(loop_.run_until([&] { return second.has_value(); }));
  compiler_.gates[0].set();
  ASSERT_TRUE(loop_.run_until([&] { return first.has_value(); }));
  EXPECT_TRUE(second->has_value()) << "compiled first";
  EXPECT_THAT(first->error().detail, HasSubstr("same name already exists"));
  ASSERT_EQ(store_.snapshot()->all.size(), 1U);
  EXPECT_EQ(store_.snapshot()->all[0]->uuid, **second);
}

TEST_F(DeployerTest, LetsOneOfTwoWithTheSameContentWin) {
  compiler_.held = true;
  std::optional<Result<std::string>> first;
  std::optional<Result<std::string>> second;
  start(deployer_.deploy({"a", guest_file("both_hooks"), {kRequest}}, loop_), first);
  start(deployer_.deploy({"b", guest_file("both_hooks"), {kRequest}}, loop_), second);
  ASSERT_TRUE(loop_.run_until([&] { return compiler_.gates.size() == 2; }));
  for (Event& gate : compiler_.gates) gate.set();
  ASSERT_TRUE(loop_.run_until([&] { return first && second; }));
  EXPECT_NE(first->has_value(), second->has_value());
  EXPECT_EQ(store_.snapshot()->all.size(), 1U);
}

TEST_F(DeployerTest, HasABoundOnWhatIsUnderWay) {
  // They wait for a loop that does not turn.
  std::vector<std::optional<Result<std::string>>> results(Deployer::kDeploymentsMax);
  for (unsigned i = 0; i < Deployer::kDeploymentsMax; ++i) {
    start(deployer_.deploy({"m" + std::to_string(i), folder_.path("missing.wasm"), {kRequest}}, loop_), results[i]);
  }
  Task<Result<std::string>> refused = deployer_.deploy({"more", folder_.path("missing.wasm"), {kRequest}}, loop_);
  std::optional<Result<std::string>> result;
  start(std::move(refused), result);
  ASSERT_TRUE(result.has_value()) << "refused at once";
  EXPECT_EQ(result->error().kind, ErrorKind::kOverloaded);
  ASSERT_TRUE(
      loop_.run_until([&] { return std::ranges::all_of(results, [](const auto& one) { return one.has_value(); }); }));
  EXPECT_THAT(deploy("again", folder_.path("missing.wasm")).error().detail, StartsWith("Module file is not available"));
}

TEST_F(DeployerTest, TakesOnlyFilesOfTheModuleDirectory) {
  std::string modules = folder_.make_folder("modules");
  std::string inside = folder_.write("modules/both.wasm", test::read_guest("both_hooks"));
  Deployer deployer(registry_, compiler_, modules);
  EXPECT_THAT(test::run(loop_, deployer.deploy({"a", guest_file("reject_403"), {kRequest}}, loop_)).error().detail,
              StartsWith("Module file is not available"));
  EXPECT_TRUE(test::run(loop_, deployer.deploy({"a", inside, {kRequest}}, loop_)).has_value());
}

TEST_F(DeployerTest, NeedsTheFileOnlyOnce) {
  std::string path = guest_file("both_hooks");
  ASSERT_TRUE(deploy("auth", path).has_value());
  std::filesystem::remove(path);
  EXPECT_TRUE(store_.snapshot()->all[0]->module->serves_on_request());
}

TEST_F(DeployerTest, PutDeploysReplacesAndLeavesWhatIsThere) {
  std::string both = test::read_guest("both_hooks");
  Result<PutResult> first = put("auth", both);
  ASSERT_TRUE(first) << first.error().detail;
  EXPECT_EQ(first->kind, PutKind::kCreated);
  EXPECT_EQ(first->module->file_path, "");
  EXPECT_EQ(first->module->size_bytes, both.size());
  ASSERT_TRUE(put("last", test::read_guest("reject_403")));

  int calls = compiler_.calls;
  Result<PutResult> again = put("auth", both);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->kind, PutKind::kUnchanged);
  EXPECT_EQ(again->module, first->module);
  EXPECT_EQ(compiler_.calls, calls);

  Result<PutResult> other = put("auth", test::read_guest("reject_403"));
  ASSERT_TRUE(other);
  EXPECT_EQ(other->kind, PutKind::kReplaced);
  EXPECT_EQ(other->module->uuid, first->module->uuid);
  EXPECT_NE(other->module->sha256_hex, first->module->sha256_hex);
  EXPECT_GE(other->module->created_unix_ns, first->module->created_unix_ns);
  std::shared_ptr<const Snapshot> snapshot = store_.snapshot();
  ASSERT_EQ(snapshot->all.size(), 2U);
  EXPECT_EQ(snapshot->all[0], other->module) << "in its old place";
  EXPECT_EQ(snapshot->on_request[0], other->module);
}

TEST_F(DeployerTest, PutReplacesForOtherPointsAndOptions) {
  std::string both = test::read_guest("both_hooks");
  ASSERT_TRUE(put("auth", both));
  EXPECT_EQ(put("auth", both, {kRequest, kResponse})->kind, PutKind::kReplaced);
  ModuleOptions open;
  open.on_failure = OnFailure::kOpen;
  EXPECT_EQ(put("auth", both, {kRequest, kResponse}, open)->kind, PutKind::kReplaced);
  EXPECT_EQ(put("auth", both, {kRequest, kResponse, kRequest}, open)->kind, PutKind::kUnchanged);
  EXPECT_EQ(store_.snapshot()->all.at(0)->options.on_failure, OnFailure::kOpen);
}

TEST_F(DeployerTest, ARefusedPutLeavesTheModuleThatRuns) {
  ASSERT_TRUE(put("auth", test::read_guest("both_hooks")));
  std::shared_ptr<const DeployedModule> before = store_.snapshot()->all.at(0);
  EXPECT_THAT(put("auth", "#!/bin/sh").error().detail, StartsWith("Invalid WASM component: "));
  EXPECT_EQ(put("auth", test::read_guest("only_response")).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(put("bad name", test::read_guest("both_hooks")).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(store_.snapshot()->all, std::vector{before});
}

TEST_F(DeployerTest, APlaceIsTakenBeforeTheBodyIsThere) {
  std::vector<Deployer::Place> places;
  for (unsigned i = 0; i < Deployer::kDeploymentsMax; ++i) places.push_back(*deployer_.enter());
  EXPECT_EQ(deployer_.enter().error().kind, ErrorKind::kOverloaded);
  EXPECT_EQ(deploy("a", guest_file("both_hooks")).error().kind, ErrorKind::kOverloaded);
  places.pop_back();
  EXPECT_TRUE(deploy("a", guest_file("both_hooks")));
}

TEST_F(DeployerTest, Removes) {
  Result<std::string> uuid = deploy("auth", guest_file("both_hooks"));
  EXPECT_TRUE(test::run(loop_, deployer_.remove(*uuid, loop_)));
  EXPECT_TRUE(store_.snapshot()->all.empty());
  EXPECT_EQ(test::run(loop_, deployer_.remove(*uuid, loop_)).error().kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace sandgate::modules
