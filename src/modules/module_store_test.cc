// SPDX-License-Identifier: Apache-2.0
#include "modules/module_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace sandgate::modules {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr AttachPoint kRequest = AttachPoint::kOnRequest;
constexpr AttachPoint kResponse = AttachPoint::kOnResponse;

// Its uuid is "uuid-NAME", its content "sha-NAME".
std::shared_ptr<DeployedModule> make_module(const std::string& name, std::vector<AttachPoint> points = {kRequest}) {
  auto module = std::make_shared<DeployedModule>();
  module->uuid = "uuid-" + name;
  module->name = name;
  module->sha256_hex = "sha-" + name;
  module->attach_points = std::move(points);
  return module;
}

std::vector<std::string> names(const std::vector<std::shared_ptr<const DeployedModule>>& modules) {
  std::vector<std::string> out;
  for (const auto& module : modules) out.push_back(module->name);
  return out;
}

TEST(ModuleStore, KeepsTheOrderOfDeployment) {
  ModuleStore store;
  for (const char* name : {"zeta", "alpha", "mid", "beta"}) ASSERT_TRUE(store.add(make_module(name)));
  EXPECT_THAT(names(store.snapshot()->all), ElementsAre("zeta", "alpha", "mid", "beta"));
  ASSERT_TRUE(store.remove("uuid-alpha"));
  EXPECT_THAT(names(store.snapshot()->all), ElementsAre("zeta", "mid", "beta"));
  ASSERT_TRUE(store.add(make_module("alpha")));
  EXPECT_THAT(names(store.snapshot()->all), ElementsAre("zeta", "mid", "beta", "alpha"));
  EXPECT_THAT(names(store.snapshot()->on_request), ElementsAre("zeta", "mid", "beta", "alpha"));
}

TEST(ModuleStore, AReplacementTakesThePlaceOfTheOldOne) {
  ModuleStore store;
  for (const char* name : {"a", "b", "c"}) ASSERT_TRUE(store.add(make_module(name)));
  std::shared_ptr<const Snapshot> before = store.snapshot();
  std::uint64_t version = store.version();
  auto next = make_module("b", {kResponse});
  ASSERT_TRUE(store.replace(next));
  EXPECT_THAT(names(store.snapshot()->all), ElementsAre("a", "b", "c"));
  EXPECT_EQ(store.snapshot()->all[1], next);
  EXPECT_THAT(names(store.snapshot()->on_request), ElementsAre("a", "c"));
  EXPECT_THAT(names(store.snapshot()->on_response), ElementsAre("b"));
  EXPECT_THAT(names(before->on_request), ElementsAre("a", "b", "c")) << "who has begun goes on with what it has";
  EXPECT_NE(store.version(), version);
  EXPECT_EQ(store.replace(make_module("d")).error().kind, ErrorKind::kNotFound);
}

TEST(ModuleStore, TakesAContentTwiceWhenToldSo) {
  ModuleStore store;
  auto twin = make_module("twin");
  twin->sha256_hex = "sha-a";
  ASSERT_TRUE(store.add(make_module("a")));
  EXPECT_EQ(store.add(twin).error().kind, ErrorKind::kInvalid);
  EXPECT_TRUE(store.add(twin, ModuleStore::SameContent::kAllowed));
}

TEST(ModuleStore, FindsByUuidBeforeName) {
  ModuleStore store;
  ASSERT_TRUE(store.add(make_module("uuid-b")));
  ASSERT_TRUE(store.add(make_module("b")));
  std::shared_ptr<const Snapshot> snapshot = store.snapshot();
  EXPECT_EQ(find_by_uuid_or_name(*snapshot, "uuid-b")->name, "b");
  EXPECT_EQ(find_by_name(*snapshot, "uuid-b")->name, "uuid-b");
  EXPECT_EQ(find_by_uuid_or_name(*snapshot, "none"), nullptr);
}

TEST(ModuleStore, SortsModulesByAttachPoint) {
  ModuleStore store;
  ASSERT_TRUE(store.add(make_module("both", {kResponse, kRequest})));
  ASSERT_TRUE(store.add(make_module("none", {})));
  ASSERT_TRUE(store.add(make_module("response", {kResponse})));
  ASSERT_TRUE(store.add(make_module("request", {kRequest})));
  std::shared_ptr<const Snapshot> snapshot = store.snapshot();
  EXPECT_THAT(names(snapshot->all), ElementsAre("both", "none", "response", "request"));
  EXPECT_THAT(names(snapshot->on_request), ElementsAre("both", "request"));
  EXPECT_THAT(names(snapshot->on_response), ElementsAre("both", "response"));
}

TEST(ModuleStore, RefusesANameTwice) {
  ModuleStore store;
  ASSERT_TRUE(store.add(make_module("auth")));
  auto other = make_module("auth");
  other->sha256_hex = "different";
  Status added = store.add(other);
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(added.error().detail, HasSubstr("module with same name already exists: auth"));
  EXPECT_EQ(store.snapshot()->all.size(), 1U);
}

TEST(ModuleStore, RefusesAContentTwice) {
  ModuleStore store;
  ASSERT_TRUE(store.add(make_module("auth")));
  auto other = make_module("other");
  other->sha256_hex = "sha-auth";
  Status added = store.add(other);
  ASSERT_FALSE(added);
  EXPECT_THAT(added.error().detail, HasSubstr("module with same sha256 already exists"));
  EXPECT_THAT(added.error().detail, HasSubstr("sha-auth"));
}

TEST(ModuleStore, TakesANameAndAContentAgainAfterRemoval) {
  ModuleStore store;
  ASSERT_TRUE(store.add(make_module("auth")));
  ASSERT_TRUE(store.remove("uuid-auth"));
  EXPECT_TRUE(store.add(make_module("auth")));
}

TEST(ModuleStore, HasABound) {
  ModuleStore store;
  for (std::size_t i = 0; i < ModuleStore::kModulesMax; ++i) ASSERT_TRUE(store.add(make_module(std::to_string(i))));
  Status added = store.add(make_module("one more"));
  ASSERT_FALSE(added);
  EXPECT_THAT(added.error().detail, HasSubstr("remove one first"));
  ASSERT_TRUE(store.remove("uuid-0"));
  EXPECT_TRUE(store.add(make_module("one more")));
}

TEST(ModuleStore, TellsCallsThatRunThatTheirModuleIsGone) {
  ModuleStore store;
  auto removed = make_module("removed");
  auto replaced = make_module("replaced");
  ASSERT_TRUE(store.add(removed));
  ASSERT_TRUE(store.add(replaced));
  EXPECT_FALSE(removed->removed);
  ASSERT_TRUE(store.remove("uuid-removed"));
  EXPECT_TRUE(removed->removed);
  auto next = make_module("replaced");
  ASSERT_TRUE(store.replace(next));
  EXPECT_TRUE(replaced->removed);
  EXPECT_FALSE(next->removed);
}

TEST(ModuleStore, SaysThatAnUnknownModuleIsNotThere) {
  ModuleStore store;
  ASSERT_TRUE(store.add(make_module("auth")));
  Status removed = store.remove("uuid-other");
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().kind, ErrorKind::kNotFound);
  ASSERT_TRUE(store.remove("uuid-auth"));
  EXPECT_FALSE(store.remove("uuid-auth"));
  EXPECT_THAT(store.snapshot()->all, IsEmpty());
}

TEST(ModuleStore, LeavesSnapshotsAlone) {
  ModuleStore store;
  ASSERT_TRUE(store.add(make_module("auth")));
  std::shared_ptr<const Snapshot> before = store.snapshot();
  ASSERT_TRUE(store.remove("uuid-auth"));
  ASSERT_TRUE(store.add(make_module("other")));
  EXPECT_THAT(names(before->all), ElementsAre("auth"));
}

TEST(ModuleStore, FreesAModuleWithItsLastUser) {
  ModuleStore store;
  std::shared_ptr<DeployedModule> module = make_module("auth");
  std::weak_ptr<DeployedModule> watch = module;
  ASSERT_TRUE(store.add(std::move(module)));
  std::shared_ptr<const Snapshot> running = store.snapshot();
  ASSERT_TRUE(store.remove("uuid-auth"));
  EXPECT_FALSE(watch.expired());
  running.reset();
  EXPECT_TRUE(watch.expired());
}

TEST(ModuleStore, ChangesItsVersionOnlyWhenSomethingChanged) {
  ModuleStore store;
  std::uint64_t first = store.version();
  ASSERT_FALSE(store.remove("uuid-auth"));
  EXPECT_EQ(store.version(), first);
  ASSERT_TRUE(store.add(make_module("auth")));
  std::uint64_t second = store.version();
  EXPECT_NE(second, first);
  ASSERT_FALSE(store.add(make_module("auth")));
  EXPECT_EQ(store.version(), second);
  ASSERT_TRUE(store.remove("uuid-auth"));
  EXPECT_NE(store.version(), second);
}

TEST(SnapshotReader, SeesChangesAndSharesWhatStaysTheSame) {
  ModuleStore store;
  SnapshotReader reader(store);
  std::shared_ptr<const Snapshot> empty = reader.current();
  ASSERT_NE(empty, nullptr);
  EXPECT_THAT(empty->all, IsEmpty());
  EXPECT_EQ(reader.current(), empty);
  ASSERT_TRUE(store.add(make_module("auth")));
  EXPECT_THAT(names(reader.current()->all), ElementsAre("auth"));
}

TEST(ModuleStore, MayBeChangedAndReadByManyThreads) {
  ModuleStore store;
  std::atomic<bool> ended{false};
  std::atomic<unsigned> accepted{0};
  auto read = [&] {
    SnapshotReader reader(store);
    while (!ended.load()) {
      std::shared_ptr<const Snapshot> snapshot = reader.current();
      // A snapshot is whole: what is attached is in it.
      for (const auto& module : snapshot->on_request) {
        EXPECT_NE(std::ranges::find(snapshot->all, module), snapshot->all.end());
      }
    }
  };
  auto change = [&](unsigned thread) {
    for (int i = 0; i < 200; ++i) {
      std::string own = std::to_string(thread) + "-" + std::to_string(i);
      EXPECT_TRUE(store.add(make_module(own)));
      if (store.add(make_module("wanted by all"))) {
        accepted.fetch_add(1);
        EXPECT_TRUE(store.remove("uuid-wanted by all"));
      }
      EXPECT_TRUE(store.remove("uuid-" + own));
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) threads.emplace_back(read);
  std::vector<std::thread> writers;
  for (unsigned i = 0; i < 3; ++i) writers.emplace_back(change, i);
  for (std::thread& thread : writers) thread.join();
  ended = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(accepted.load(), 0U);
  EXPECT_THAT(store.snapshot()->all, IsEmpty());
}

TEST(ExecutionStats, AddUp) {
  ExecutionStats stats;
  stats.record(Nanoseconds(100), true);
  stats.record(Nanoseconds(900), false);
  stats.record(Nanoseconds(200), true);
  ExecutionTotals totals = stats.read();
  EXPECT_EQ(totals.executions, 3U);
  EXPECT_EQ(totals.successes, 2U);
  EXPECT_EQ(totals.failures, 1U);
  EXPECT_EQ(totals.total_ns, 1200U);
  EXPECT_EQ(totals.max_ns, 900U);
}

TEST(AttachPoint, HasTheNameOfTheSeed) {
  EXPECT_EQ(attach_point_name(AttachPoint::kOnRequest), "OnRequest");
  EXPECT_EQ(attach_point_name(AttachPoint::kOnResponse), "OnResponse");
  EXPECT_EQ(attach_point_name(AttachPoint::kOnError), "OnError");
}

std::shared_ptr<DeployedModule> make_file_module(const std::string& name) {
  std::shared_ptr<DeployedModule> module = make_module(name);
  module->owner = ModuleOwner::kFile;
  return module;
}

TEST(FileModules, AreShownButRunOnNoRequestByThemselves) {
  ModuleStore store;
  ASSERT_TRUE(store.add(make_module("api")));
  ASSERT_TRUE(store.set_file_modules({make_file_module("file")}));
  auto snapshot = store.snapshot();
  ASSERT_EQ(snapshot->all.size(), 2U);
  EXPECT_EQ(snapshot->all[0]->name, "file");
  ASSERT_EQ(snapshot->on_request.size(), 1U);
  EXPECT_EQ(snapshot->on_request[0]->name, "api");
}

TEST(FileModules, AreReplacedAllAtOnceAndLeaveTheOthersAlone) {
  ModuleStore store;
  auto stays = make_file_module("stays");
  auto goes = make_file_module("goes");
  auto api = make_module("api");
  ASSERT_TRUE(store.add(api));
  ASSERT_TRUE(store.set_file_modules({stays, goes}));
  std::uint64_t version = store.version();
  ASSERT_TRUE(store.set_file_modules({stays, make_file_module("comes")}));
  EXPECT_NE(store.version(), version);
  EXPECT_EQ(store.snapshot()->all.size(), 3U);
  EXPECT_FALSE(stays->removed);
  EXPECT_TRUE(goes->removed);
  EXPECT_FALSE(api->removed);
}

TEST(FileModules, AreChangedByTheFileOnly) {
  ModuleStore store;
  auto file = make_file_module("file");
  ASSERT_TRUE(store.set_file_modules({file}));
  EXPECT_EQ(store.remove(file->uuid).error().kind, ErrorKind::kDenied);
  auto other = make_module("file");
  other->uuid = file->uuid;
  EXPECT_EQ(store.replace(other).error().kind, ErrorKind::kDenied);
  EXPECT_EQ(store.add(make_module("file")).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(store.snapshot()->all[0], file);
}

TEST(FileModules, CannotTakeANameOfTheApi) {
  ModuleStore store;
  ASSERT_TRUE(store.add(make_module("taken")));
  Status refused = store.set_file_modules({make_file_module("taken")});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(store.snapshot()->all.size(), 1U);
}

}  // namespace
}  // namespace sandgate::modules
