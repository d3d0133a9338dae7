// SPDX-License-Identifier: Apache-2.0
#include "platform/directory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <string>

#include "tests/support/temporary_folder.h"

namespace sandgate::platform {
namespace {

class DirectoryTest : public ::testing::Test {
 protected:
  Directory open() {
    Result<Directory> directory = Directory::open(folder_.make_folder("public"));
    EXPECT_TRUE(directory) << directory.error().detail;
    return std::move(*directory);
  }
  ErrorKind refusal(const std::string& name) {
    Result<OpenFile> file = open().open_file(name);
    EXPECT_FALSE(file) << name;
    return file ? ErrorKind::kInternal : file.error().kind;
  }

  test::TemporaryFolder folder_;
};

TEST_F(DirectoryTest, OpensFilesBelowIt) {
  Directory directory = open();
  folder_.make_folder("public/a");
  folder_.write("public/a/b.txt", "content");
  Result<OpenFile> file = directory.open_file("a/b.txt");
  ASSERT_TRUE(file);
  EXPECT_EQ(file->kind, OpenFile::Kind::kRegular);
  EXPECT_EQ(file->size, 7U);
  EXPECT_GT(file->modified_unix_s, 1'000'000'000);
  std::array<char, 4> room{};
  EXPECT_EQ(file->read_at(0, room), 4U);
  EXPECT_EQ(std::string(room.data(), 4), "cont");
  EXPECT_EQ(file->read_at(4, room), 3U);
  EXPECT_EQ(file->read_at(7, room), 0U);
  EXPECT_EQ(file->read_at(1000, room), 0U);
  Result<OpenFile> folder = directory.open_file("a");
  ASSERT_TRUE(folder);
  EXPECT_EQ(folder->kind, OpenFile::Kind::kDirectory);
}

TEST_F(DirectoryTest, NothingOutsideIsThere) {
  open();
  folder_.write("secret", "x");
  folder_.link("public/up", "../secret");
  folder_.link("public/absolute", folder_.path("secret"));
  folder_.link("public/inside-but-absolute", folder_.path("public"));
  folder_.link("public/process", "/proc/self/fd/0");
  for (const char* name : {"../secret", "..", "/etc/passwd", "up", "absolute", "inside-but-absolute", "process", "none",
                           "none/../../secret"})
    EXPECT_EQ(refusal(name), ErrorKind::kNotFound) << name;
}

TEST_F(DirectoryTest, LinksThatStayInsideWork) {
  Directory directory = open();
  folder_.write("public/file", "x");
  folder_.make_folder("public/a");
  folder_.link("public/a/link", "../file");
  EXPECT_TRUE(directory.open_file("a/link"));
}

TEST_F(DirectoryTest, DoesNotWaitForAPipe) {
  Directory directory = open();
  ASSERT_EQ(::mkfifo(folder_.path("public/pipe").c_str(), 0600), 0);
  Result<OpenFile> pipe = directory.open_file("pipe");
  ASSERT_TRUE(pipe);
  EXPECT_EQ(pipe->kind, OpenFile::Kind::kOther);
}

TEST_F(DirectoryTest, ItselfMustBeAFolder) {
  folder_.write("file", "x");
  EXPECT_EQ(Directory::open(folder_.path("none")).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(Directory::open(folder_.path("file")).error().kind, ErrorKind::kInvalid);
}

}  // namespace
}  // namespace sandgate::platform
