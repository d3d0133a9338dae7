// SPDX-License-Identifier: Apache-2.0
#include "platform/file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <iterator>
#include <string>
#include <thread>

#include "tests/support/temporary_folder.h"

namespace sandgate::platform {
namespace {

using testing::HasSubstr;
using testing::Not;

unsigned mode_of(const std::string& path) {
  struct stat status{};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return status.st_mode & 07777;
}

std::size_t entries_in(const std::string& path) {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator(path), std::filesystem::directory_iterator()));
}

TEST(ReadFile, GivesTheWholeContent) {
  test::TemporaryFolder folder;
  std::string content = std::string("a\0b", 3) + std::string(100'000, 'x');
  EXPECT_EQ(read_file(folder.write("f", content), 1'000'000).value(), content);
  EXPECT_EQ(read_file(folder.write("empty", ""), 0).value(), "");
}

TEST(ReadFile, HasALimit) {
  test::TemporaryFolder folder;
  std::string path = folder.write("f", "12345");
  EXPECT_EQ(read_file(path, 5).value(), "12345");
  Result<std::string> content = read_file(path, 4);
  ASSERT_FALSE(content);
  EXPECT_EQ(content.error().kind, ErrorKind::kTooLarge);
  EXPECT_THAT(content.error().detail, HasSubstr("4 bytes"));
}

TEST(ReadFile, KeepsThePathOutOfTheDetail) {
  test::TemporaryFolder folder;
  Result<std::string> content = read_file(folder.path("secret-name"), 10);
  ASSERT_FALSE(content);
  EXPECT_EQ(content.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(content.error().detail, Not(HasSubstr("secret-name")));
  EXPECT_THAT(content.error().cause, HasSubstr("secret-name"));
  EXPECT_THAT(content.error().cause, HasSubstr("(2)"));
}

TEST(ReadFile, TakesRegularFilesOnlyAndDoesNotWait) {
  test::TemporaryFolder folder;
  ASSERT_EQ(::mkfifo(folder.path("fifo").c_str(), 0600), 0);
  for (const std::string& path : {folder.path("fifo"), folder.path(), std::string("/dev/zero")}) {
    Result<std::string> content = read_file(path, 10);
    ASSERT_FALSE(content) << path;
    EXPECT_EQ(content.error().kind, ErrorKind::kInvalid) << path;
  }
}

TEST(ReadFile, StartsAtTheBeginningOfADescriptor) {
  test::TemporaryFolder folder;
  Descriptor file(::open(folder.write("f", "abc").c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(::lseek(file.get(), 2, SEEK_SET), 2);
  EXPECT_EQ(read_file(file, 10).value(), "abc");
  EXPECT_EQ(read_file(file, 10).value(), "abc");
}

TEST(WriteFileAtomically, MakesAndReplaces) {
  test::TemporaryFolder folder;
  ASSERT_TRUE(write_file_atomically(folder.path("f"), "one", 0600));
  EXPECT_EQ(folder.read("f"), "one");
  EXPECT_EQ(mode_of(folder.path("f")), 0600U);
  ASSERT_TRUE(write_file_atomically(folder.path("f"), "two", 0400));
  EXPECT_EQ(folder.read("f"), "two");
  EXPECT_EQ(mode_of(folder.path("f")), 0400U);
  EXPECT_EQ(entries_in(folder.path()), 1U);
}

TEST(WriteFileAtomically, SetsTheModeWhateverTheUmaskIs) {
  test::TemporaryFolder folder;
  mode_t before = ::umask(0777);
  Status wrote = write_file_atomically(folder.path("f"), "x", 0644);
  ::umask(before);
  ASSERT_TRUE(wrote);
  EXPECT_EQ(mode_of(folder.path("f")), 0644U);
}

TEST(WriteFileAtomically, LeavesNothingBehindWhenItFails) {
  test::TemporaryFolder folder;
  folder.make_folder("f/inside");
  EXPECT_FALSE(write_file_atomically(folder.path("f"), "x", 0600));
  EXPECT_EQ(entries_in(folder.path()), 1U);
  EXPECT_FALSE(write_file_atomically(folder.path("missing/f"), "x", 0600));
}

TEST(WriteFileAtomically, ReplacesALinkAndNotWhatItNames) {
  test::TemporaryFolder folder;
  folder.write("target", "old");
  folder.link("link", folder.path("target"));
  ASSERT_TRUE(write_file_atomically(folder.path("link"), "new", 0600));
  EXPECT_EQ(folder.read("target"), "old");
  EXPECT_EQ(folder.read("link"), "new");
  EXPECT_FALSE(std::filesystem::is_symlink(folder.path("link")));
}

TEST(WriteFileAtomically, ShowsReadersWholeFilesOnly) {
  test::TemporaryFolder folder;
  const std::string path = folder.path("f");
  const std::string contents[] = {std::string(50'000, 'a'), std::string(70'000, 'b')};
  ASSERT_TRUE(write_file_atomically(path, contents[0], 0600));
  std::thread writer([&] {
    for (int i = 1; i <= 40; ++i) EXPECT_TRUE(write_file_atomically(path, contents[i % 2], 0600));
  });
  for (int i = 0; i < 200; ++i) {
    Result<std::string> content = read_file(path, 1'000'000);
    ASSERT_TRUE(content.has_value());
    ASSERT_TRUE(*content == contents[0] || *content == contents[1]);
  }
  writer.join();
}

TEST(PrivateDirectory, IsMadeWithItsParents) {
  test::TemporaryFolder folder;
  ASSERT_TRUE(make_private_directory(folder.path("a/b/c")));
  EXPECT_EQ(mode_of(folder.path("a/b/c")), 0700U);
  EXPECT_TRUE(make_private_directory(folder.path("a/b/c")));
}

TEST(PrivateDirectory, IsNoFileAndNoLink) {
  test::TemporaryFolder folder;
  folder.write("file", "x");
  folder.make_folder("real");
  folder.link("link", folder.path("real"));
  for (const char* name : {"file", "link"}) {
    Status made = make_private_directory(folder.path(name));
    ASSERT_FALSE(made) << name;
    EXPECT_EQ(made.error().kind, ErrorKind::kDenied);
  }
}

TEST(PrivateDirectory, IsNotWritableByOthers) {
  test::TemporaryFolder folder;
  std::string shared = folder.make_folder("shared");
  std::filesystem::permissions(shared, static_cast<std::filesystem::perms>(0777));
  Status made = make_private_directory(shared);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, ErrorKind::kDenied);
  EXPECT_THAT(made.error().detail, HasSubstr("chmod go-w " + shared));
  std::filesystem::permissions(shared, static_cast<std::filesystem::perms>(0755));
  EXPECT_TRUE(make_private_directory(shared));
}

TEST(PrivateDirectory, BelongsToThisUser) {
  if (::geteuid() == 0) GTEST_SKIP() << "everything here may belong to root";
  Status made = make_private_directory("/usr");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, ErrorKind::kDenied);
}

TEST(SystemErrorText, NamesTheNumber) { EXPECT_EQ(system_error_text(EACCES), "Permission denied (13)"); }

}  // namespace
}  // namespace sandgate::platform
