// SPDX-License-Identifier: Apache-2.0
#include "sandbox/code_cache.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>

#include "sandbox/testing/temporary_folder.h"

namespace sandgate::sandbox {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryFolder;

const std::string kModule(64, 'a');
const std::string kOther(64, 'b');
constexpr std::string_view kEngine = "engine 1";

std::unique_ptr<CodeCache> open_cache(const TemporaryFolder& folder, std::string_view engine = kEngine) {
  Result<std::unique_ptr<CodeCache>> cache = CodeCache::open(folder.path(), engine);
  EXPECT_TRUE(cache.has_value()) << (cache ? "" : cache.error().detail);
  return std::move(cache.value());
}

unsigned mode_of(const std::string& path) {
  struct stat status{};
  EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777;
}

std::string only_code_file(const TemporaryFolder& folder) {
  std::vector<std::string> names = folder.names(".code");
  EXPECT_EQ(names.size(), 1U);
  return names.empty() ? "" : names.front();
}

TEST(CodeCache, GivesBackWhatItKept) {
  TemporaryFolder folder;
  std::string code(100'000, 'c');
  open_cache(folder)->store(kModule, code);
  std::unique_ptr<CodeCache> later = open_cache(folder);
  EXPECT_EQ(later->find(kModule), code);
  EXPECT_EQ(later->find(kOther), std::nullopt);
  later->remove(kModule);
  EXPECT_EQ(later->find(kModule), std::nullopt);
}

TEST(CodeCache, MakesItsFolderAndFilesForUsAlone) {
  TemporaryFolder parent;
  std::string path = parent.path("deep/cache");
  Result<std::unique_ptr<CodeCache>> cache = CodeCache::open(path, kEngine);
  ASSERT_TRUE(cache.has_value());
  (*cache)->store(kModule, "code");
  EXPECT_EQ(mode_of(path), 0700U);
  for (const auto& entry : fs::directory_iterator(path)) EXPECT_EQ(mode_of(entry.path()), 0400U) << entry.path();
}

TEST(CodeCache, KeepsEnginesApart) {
  TemporaryFolder folder;
  open_cache(folder, "engine 1")->store(kModule, "one");
  EXPECT_EQ(open_cache(folder, "engine 2")->find(kModule), std::nullopt);
  open_cache(folder, "engine 2")->store(kModule, "two");
  EXPECT_EQ(open_cache(folder, "engine 1")->find(kModule), "one");
  EXPECT_EQ(open_cache(folder, "engine 2")->find(kModule), "two");
}

// Each of these must not be loaded, and must not be in the way of new code either.
TEST(CodeCache, TrustsNothingThatWasTamperedWith) {
  struct Case {
    const char* what;
    std::function<void(const TemporaryFolder&, const std::string& name)> tamper;
  };
  const Case cases[] = {
      {"a changed byte of code",
       [](const TemporaryFolder& folder, const std::string& name) {
         std::string content = folder.read(name);
         content.back() = 'X';
         folder.write(name, content, 0400);
       }},
      {"a changed MAC",
       [](const TemporaryFolder& folder, const std::string& name) {
         std::string content = folder.read(name);
         content[10] = static_cast<char>(content[10] ^ 1);
         folder.write(name, content, 0400);
       }},
      {"a truncated file", [](const TemporaryFolder& folder,
                              const std::string& name) { folder.write(name, folder.read(name).substr(0, 45), 0400); }},
      {"more bytes", [](const TemporaryFolder& folder,
                        const std::string& name) { folder.write(name, folder.read(name) + "x", 0400); }},
      {"an empty file", [](const TemporaryFolder& folder, const std::string& name) { folder.write(name, "", 0400); }},
      {"a file that we may write",
       [](const TemporaryFolder& folder, const std::string& name) {
         fs::permissions(folder.path(name), fs::perms(0600));
       }},
      {"a file that others may read",
       [](const TemporaryFolder& folder, const std::string& name) {
         fs::permissions(folder.path(name), fs::perms(0444));
       }},
      {"a symlink to a good file",
       [](const TemporaryFolder& folder, const std::string& name) {
         fs::rename(folder.path(name), folder.path("elsewhere"));
         fs::create_symlink(folder.path("elsewhere"), folder.path(name));
       }},
      {"a pipe",
       [](const TemporaryFolder& folder, const std::string& name) {
         fs::remove(folder.path(name));
         EXPECT_EQ(::mkfifo(folder.path(name).c_str(), 0400), 0);
       }},
      {"another key",
       [](const TemporaryFolder& folder, const std::string&) { folder.write("key", std::string(32, 'k'), 0400); }},
  };
  for (const Case& tampered : cases) {
    SCOPED_TRACE(tampered.what);
    TemporaryFolder folder;
    open_cache(folder)->store(kModule, "the code of a module");
    tampered.tamper(folder, only_code_file(folder));
    std::unique_ptr<CodeCache> cache = open_cache(folder);
    EXPECT_EQ(cache->find(kModule), std::nullopt);
    cache->store(kModule, "compiled again");
    EXPECT_EQ(cache->find(kModule), "compiled again");
  }
}

TEST(CodeCache, DoesNotTakeOneModulesCodeForAnothers) {
  TemporaryFolder folder;
  std::unique_ptr<CodeCache> cache = open_cache(folder);
  cache->store(kModule, "code of a");
  std::string name = only_code_file(folder);
  std::string content = folder.read(name);
  folder.write(kOther + name.substr(64), content, 0400);
  EXPECT_EQ(cache->find(kOther), std::nullopt);
}

TEST(CodeCache, DoesNotTakeAFileOfAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  TemporaryFolder folder;
  std::unique_ptr<CodeCache> cache = open_cache(folder);
  cache->store(kModule, "code");
  ASSERT_EQ(::chown(folder.path(only_code_file(folder)).c_str(), 65534, 65534), 0);
  EXPECT_EQ(cache->find(kModule), std::nullopt);
}

TEST(CodeCache, ReplacesAKeyThatCannotBeTrusted) {
  for (unsigned mode : {0444U, 0600U, 0666U}) {
    TemporaryFolder folder;
    folder.write("key", std::string(32, 'k'), mode);
    open_cache(folder)->store(kModule, "code");
    EXPECT_EQ(mode_of(folder.path("key")), 0400U);
    EXPECT_NE(folder.read("key"), std::string(32, 'k'));
    EXPECT_EQ(open_cache(folder)->find(kModule), "code");
  }
  TemporaryFolder folder;
  folder.write("key", "short", 0400);
  open_cache(folder)->store(kModule, "code");
  EXPECT_EQ(folder.read("key").size(), 32U);
  EXPECT_EQ(open_cache(folder)->find(kModule), "code");
}

TEST(CodeCache, RefusesAFolderThatIsNotOursAlone) {
  TemporaryFolder parent;
  fs::create_directory(parent.path("open"));
  for (unsigned mode : {0755U, 0770U, 0707U}) {
    fs::permissions(parent.path("open"), fs::perms(mode));
    Result<std::unique_ptr<CodeCache>> cache = CodeCache::open(parent.path("open"), kEngine);
    ASSERT_FALSE(cache.has_value()) << mode;
    EXPECT_EQ(cache.error().kind, ErrorKind::kDenied);
    EXPECT_NE(cache.error().detail.find("chmod"), std::string::npos) << cache.error().detail;
  }
}

TEST(CodeCache, RefusesASymlinkAsFolder) {
  TemporaryFolder parent;
  fs::create_directory(parent.path("real"));
  fs::permissions(parent.path("real"), fs::perms(0700));
  fs::create_directory_symlink(parent.path("real"), parent.path("link"));
  Result<std::unique_ptr<CodeCache>> cache = CodeCache::open(parent.path("link"), kEngine);
  ASSERT_FALSE(cache.has_value());
  EXPECT_EQ(cache.error().kind, ErrorKind::kDenied);
}

TEST(CodeCache, RefusesAFileAsFolder) {
  TemporaryFolder parent;
  parent.write("file", "");
  EXPECT_FALSE(CodeCache::open(parent.path("file"), kEngine).has_value());
}

TEST(CodeCache, RemovesWhatWasNotUsedForLongestWhenFull) {
  TemporaryFolder folder;
  std::string code(1000, 'c');
  Result<std::unique_ptr<CodeCache>> cache = CodeCache::open(folder.path(), kEngine, 3500);
  ASSERT_TRUE(cache.has_value());
  std::string modules[4];
  for (std::size_t i = 0; i < 3; ++i) {
    modules[i] = std::string(64, static_cast<char>('0' + i));
    (*cache)->store(modules[i], code);
    // Hours apart, so that the resolution of file times does not matter.
    for (const std::string& name : folder.names(".code")) {
      if (name.starts_with(modules[i])) {
        fs::last_write_time(folder.path(name),
                            fs::file_time_type::clock::now() - std::chrono::hours(10 - static_cast<int>(i)));
      }
    }
  }
  EXPECT_TRUE((*cache)->find(modules[0]).has_value());  // used now
  modules[3] = std::string(64, '3');
  (*cache)->store(modules[3], code);
  EXPECT_TRUE((*cache)->find(modules[0]).has_value());
  EXPECT_FALSE((*cache)->find(modules[1]).has_value());
  EXPECT_TRUE((*cache)->find(modules[2]).has_value());
  EXPECT_TRUE((*cache)->find(modules[3]).has_value());
}

TEST(CodeCache, RemovesTemporaryFilesOfDeadProcessesOnly) {
  TemporaryFolder folder;
  std::unique_ptr<CodeCache> cache = open_cache(folder);
  folder.write("tmp-old", "half");
  folder.write("tmp-new", "half");
  fs::last_write_time(folder.path("tmp-old"), fs::file_time_type::clock::now() - std::chrono::hours(2));
  cache->store(kModule, "code");
  EXPECT_FALSE(fs::exists(folder.path("tmp-old")));
  EXPECT_TRUE(fs::exists(folder.path("tmp-new")));
}

}  // namespace
}  // namespace sandgate::sandbox
