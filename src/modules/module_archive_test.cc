// SPDX-License-Identifier: Apache-2.0
#include "modules/module_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "platform/digest.h"
#include "tests/support/temporary_folder.h"

namespace sandgate::modules {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ModuleRecord make_record(const std::string& name, const std::string& content) {
  ModuleRecord record;
  record.uuid = "uuid-" + name;
  record.name = name;
  record.file_path = "/a b/" + name + ".wasm";
  record.sha256_hex = platform::sha256_hex(content);
  record.size_bytes = content.size();
  record.created_unix_ns = 1'763'000'000'123'456'789;
  record.attach_points = {AttachPoint::kOnResponse, AttachPoint::kOnRequest};
  record.options.on_failure = OnFailure::kOpen;
  record.options.body = false;
  record.options.reuse_calls_max = 7;
  record.options.config = {{"key \"1\"", "secret\n\xc3\xa4"}, {"", ""}};
  record.options.key_value = {"counters"};
  return record;
}

class ModuleArchiveTest : public testing::Test {
 protected:
  std::unique_ptr<ModuleArchive> open() {
    Result<std::unique_ptr<ModuleArchive>> archive = ModuleArchive::open(path_);
    EXPECT_TRUE(archive) << (archive ? "" : archive.error().detail + " " + archive.error().cause);
    return archive ? std::move(*archive) : nullptr;
  }
  Error open_error() {
    Result<std::unique_ptr<ModuleArchive>> archive = ModuleArchive::open(path_);
    EXPECT_FALSE(archive);
    return archive ? Error(ErrorKind::kInternal, "") : archive.error();
  }
  std::vector<std::string> blobs() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path_ + "/blobs"))
      names.push_back(entry.path().stem().string());
    return names;
  }
  std::string blob(const std::string& content) const {
    return path_ + "/blobs/" + platform::sha256_hex(content) + ".wasm";
  }

  test::TemporaryFolder folder_;
  std::string path_ = folder_.path("data");
  ModuleRecord a_ = make_record("a", "content a");
  ModuleRecord b_ = make_record("b", "content b");
};

TEST_F(ModuleArchiveTest, KeepsRecordsWholeAndInOrder) {
  ModuleRecord plain = make_record("plain", "content p");
  plain.options = {};
  plain.attach_points = {};
  {
    auto archive = open();
    EXPECT_THAT(archive->records(), IsEmpty());
    ASSERT_TRUE(archive->add(b_, "content b"));
    ASSERT_TRUE(archive->add(a_, "content a"));
    ASSERT_TRUE(archive->add(plain, "content p"));
  }
  auto archive = open();
  EXPECT_THAT(archive->records(), ElementsAre(b_, a_, plain));
  EXPECT_EQ(archive->read_wasm(a_).value(), "content a");
}

TEST_F(ModuleArchiveTest, AReplacementKeepsThePlaceAndARemovalTheOrder) {
  ModuleRecord c = make_record("c", "content c");
  ModuleRecord new_a = make_record("a", "new content");
  {
    auto archive = open();
    ASSERT_TRUE(archive->add(a_, "content a"));
    ASSERT_TRUE(archive->add(b_, "content b"));
    ASSERT_TRUE(archive->add(c, "content c"));
    ASSERT_TRUE(archive->replace(new_a, "new content"));
    ASSERT_TRUE(archive->remove(b_.uuid));
    EXPECT_EQ(archive->remove(b_.uuid).error().kind, ErrorKind::kNotFound);
  }
  EXPECT_THAT(open()->records(), ElementsAre(new_a, c));
  EXPECT_THAT(blobs(), testing::UnorderedElementsAre(new_a.sha256_hex, c.sha256_hex));
}

TEST_F(ModuleArchiveTest, ContentsGoWithTheirLastModule) {
  ModuleRecord twin = make_record("twin", "content a");
  auto archive = open();
  ASSERT_TRUE(archive->add(a_, "content a"));
  ASSERT_TRUE(archive->add(twin, "content a"));
  ASSERT_TRUE(archive->remove(a_.uuid));
  EXPECT_THAT(blobs(), ElementsAre(twin.sha256_hex));
  ASSERT_TRUE(archive->remove(twin.uuid));
  EXPECT_THAT(blobs(), IsEmpty());
}

TEST_F(ModuleArchiveTest, AStartRemovesWhatACrashLeft) {
  ASSERT_TRUE(open()->add(a_, "content a"));
  folder_.write("data/blobs/" + std::string(64, '0') + ".wasm", "half");
  folder_.write("data/blobs/" + a_.sha256_hex + ".wasm.1234.tmp", "half");
  open();
  EXPECT_THAT(blobs(), ElementsAre(a_.sha256_hex));
}

TEST_F(ModuleArchiveTest, ABlobThatIsMissingOrDamagedIsTold) {
  auto archive = open();
  ASSERT_TRUE(archive->add(a_, "content a"));
  folder_.write("data/blobs/" + a_.sha256_hex + ".wasm", "content x");
  EXPECT_THAT(archive->read_wasm(a_).error().detail, HasSubstr("is damaged"));
  std::filesystem::remove(blob("content a"));
  EXPECT_THAT(archive->read_wasm(a_).error().detail, HasSubstr("is missing"));
}

TEST_F(ModuleArchiveTest, TheFolderIsOursAlone) {
  ASSERT_TRUE(ModuleArchive::open(path_ + "/"));
  struct stat status{};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
  ASSERT_EQ(::stat((path_ + "/modules.db").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  std::filesystem::permissions(path_, std::filesystem::perms::group_write, std::filesystem::perm_options::add);
  EXPECT_THAT(open_error().detail, HasSubstr("chmod go-w"));
}

TEST_F(ModuleArchiveTest, OneServerHoldsIt) {
  auto first = open();
  Error error = open_error();
  EXPECT_EQ(error.kind, ErrorKind::kOverloaded);
  EXPECT_THAT(error.detail, testing::AllOf(HasSubstr(path_), HasSubstr("another running server")));
  first.reset();
  EXPECT_NE(open(), nullptr);
}

TEST_F(ModuleArchiveTest, ADamagedIndexIsNeverAnEmptyOne) {
  ASSERT_TRUE(open()->add(a_, "content a"));
  std::string index = folder_.read("data/modules.db");
  std::string flipped = index;
  flipped[flipped.rfind("/a b/") + 1] ^= 1;
  std::string random = index;
  for (std::size_t i = 4096; i < 8192; ++i) random[i] = static_cast<char>(i * 31);
  for (const std::string& content : {std::string(), index.substr(0, index.size() / 2), index.substr(0, 4096),
                                     std::string(index.size(), '\0'), flipped, random, std::string("text")}) {
    folder_.write("data/modules.db", content);
    Error error = open_error();
    EXPECT_THAT(error.detail, testing::AllOf(HasSubstr("modules.db is damaged"), HasSubstr("Put a copy")));
    EXPECT_EQ(folder_.read("data/modules.db"), content) << "looked at, not changed";
  }
  std::filesystem::remove(path_ + "/modules.db");
  EXPECT_THAT(open_error().detail, HasSubstr("modules.db is missing"));
  EXPECT_TRUE(std::filesystem::exists(blob("content a")));
  folder_.write("data/modules.db", index);
  EXPECT_THAT(open()->records(), ElementsAre(a_));
}

TEST_F(ModuleArchiveTest, AnIndexOfANewerVersionIsRefused) {
  open();
  {
    Result<platform::Database> database =
        platform::Database::open(path_ + "/modules.db", platform::Database::IfMissing::kFail);
    ASSERT_TRUE(database->run("PRAGMA user_version=2"));
  }
  Error error = open_error();
  EXPECT_EQ(error.kind, ErrorKind::kUnsupported);
  EXPECT_THAT(error.detail, HasSubstr("--data-dir"));
}

TEST_F(ModuleArchiveTest, WhatCannotBeWrittenIsNotThere) {
  auto archive = open();
  ASSERT_TRUE(archive->add(a_, "content a"));
  // The folder of blobs is gone, so no file can be made in it.
  std::filesystem::remove_all(path_ + "/blobs");
  Status added = archive->add(b_, "content b");
  EXPECT_EQ(added.error().kind, ErrorKind::kInternal);
  EXPECT_THAT(archive->records(), ElementsAre(a_));
  archive.reset();
  EXPECT_THAT(open()->records(), ElementsAre(a_));
}

TEST_F(ModuleArchiveTest, ASuccessorSharesTheDirectoryAndKeepsItsChangesTogether) {
  auto before = open();
  ASSERT_TRUE(before->add(a_, "content a"));
  Result<platform::Descriptor> lock = before->share_lock();
  ASSERT_TRUE(lock);
  EXPECT_EQ(open_error().kind, ErrorKind::kOverloaded) << "without the lock it is in use";
  {
    Result<std::unique_ptr<ModuleArchive>> failing = ModuleArchive::open(path_, *lock);
    ASSERT_TRUE(failing) << failing.error().detail;
    EXPECT_THAT((*failing)->records(), ElementsAre(a_));
    ASSERT_TRUE((*failing)->remove(a_.uuid));
    ASSERT_TRUE((*failing)->add(b_, "content b"));
  }
  // As if it had not been: the first one has its module and may change more.
  EXPECT_TRUE(std::filesystem::exists(blob("content a")));
  ASSERT_TRUE(before->replace(a_, "content a"));
  Result<std::unique_ptr<ModuleArchive>> successor = ModuleArchive::open(path_, *lock);
  ASSERT_TRUE(successor) << successor.error().detail;
  EXPECT_THAT((*successor)->records(), ElementsAre(a_));
  ASSERT_TRUE((*successor)->remove(a_.uuid));
  ASSERT_TRUE((*successor)->add(b_, "content b"));
  EXPECT_TRUE(std::filesystem::exists(blob("content a"))) << "the first one may need it";
  before.reset();
  lock->reset();
  ASSERT_TRUE((*successor)->commit());
  EXPECT_THAT(blobs(), ElementsAre(b_.sha256_hex));
  EXPECT_EQ(open_error().kind, ErrorKind::kOverloaded) << "it holds the lock";
  successor->reset();
  EXPECT_THAT(open()->records(), ElementsAre(b_));
}

TEST_F(ModuleArchiveTest, TheLockOfAnotherDirectoryIsNone) {
  test::TemporaryFolder elsewhere;
  Result<std::unique_ptr<ModuleArchive>> other = ModuleArchive::open(elsewhere.path("data"));
  ASSERT_TRUE(other);
  auto holder = open();
  Result<platform::Descriptor> lock = (*other)->share_lock();
  ASSERT_TRUE(lock);
  Result<std::unique_ptr<ModuleArchive>> refused = ModuleArchive::open(path_, *lock);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kOverloaded);
}

}  // namespace
}  // namespace sandgate::modules
