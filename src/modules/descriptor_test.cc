// SPDX-License-Identifier: Apache-2.0
#include "modules/descriptor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <set>
#include <string>

#include "tests/support/temporary_folder.h"

namespace sandgate::modules {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kUnavailable = "Module file is not available at the requested path";

Descriptor valid() { return {"auth", "/modules/auth.wasm", {AttachPoint::kOnRequest}}; }

Status check_name(std::string name) {
  Descriptor descriptor = valid();
  descriptor.name = std::move(name);
  return check_descriptor(descriptor);
}

Status check_path(std::string path) {
  Descriptor descriptor = valid();
  descriptor.file_path = std::move(path);
  return check_descriptor(descriptor);
}

TEST(Descriptor, AcceptsOrdinaryNames) {
  for (const char* name : {"a", "auth", "my-middleware", "Auth_2.1", ".", "-", "0"})
    EXPECT_TRUE(check_name(name)) << name;
  EXPECT_TRUE(check_name(std::string(kNameBytesMax, 'x')));
}

TEST(Descriptor, RefusesOtherNames) {
  EXPECT_EQ(check_name("").error().detail, "Module name cannot be empty");
  EXPECT_THAT(check_name(std::string(kNameBytesMax + 1, 'x')).error().detail,
              StartsWith("Module name cannot be longer"));
  for (const char* name : {"a b", "a/b", "a\nb", "a\"b", "\xc3\xa9", "a:b", " a", "a%"}) {
    Status status = check_name(name);
    ASSERT_FALSE(status) << name;
    EXPECT_EQ(status.error().kind, ErrorKind::kInvalid);
    EXPECT_THAT(status.error().detail, StartsWith("Module name may only contain"));
  }
  EXPECT_FALSE(check_name(std::string("a\0b", 3)));
}

TEST(Descriptor, AcceptsTheExtensionInAnyCase) {
  for (const char* path : {"/a.wasm", "/a.WASM", "/a.WaSm", "/a.component.wasm", "/a/../b.wasm"}) {
    EXPECT_TRUE(check_path(path)) << path;
  }
}

TEST(Descriptor, RefusesOtherPaths) {
  EXPECT_EQ(check_path("").error().detail, "Module file path cannot be empty");
  EXPECT_EQ(check_path("a.wasm").error().detail, "Module file path must be absolute");
  EXPECT_EQ(check_path("./a.wasm").error().detail, "Module file path must be absolute");
  EXPECT_EQ(check_path(std::string("/a\0.wasm", 8)).error().detail, "Module file path cannot contain a NUL byte");
  EXPECT_EQ(check_path("/" + std::string(kPathBytesMax, 'a') + ".wasm").error().detail, "Module file path is too long");
  for (const char* path : {"/a", "/a.wat", "/a.wasm.txt", "/a.wasm/", "/etc/passwd", "/awasm"}) {
    EXPECT_EQ(check_path(path).error().detail, "Module file must have .wasm extension") << path;
  }
}

TEST(Descriptor, OptionsHaveRanges) {
  struct Case {
    ModuleOptions options;
    std::string_view error;
  };
  using Config = std::vector<std::pair<std::string, std::string>>;
  const Case cases[] = {
      {{.reuse_calls_max = 0}, "reuse.max_calls is 0; it must be 1 to 1000000"},
      {{.reuse_seconds_max = 86'401}, "reuse.max_age_s is 86401; it must be 1 to 86400"},
      {{.config = Config(65)}, "config has 65 entries; at most 64 are allowed"},
      {{.config = Config{{"a", std::string(65'536, 'x')}}}, "config has 65537 bytes; at most 65536 are allowed"},
      {{.key_value = std::vector<std::string>(17, "a")}, "allow.key_value names 17 stores; at most 16 are allowed"},
      {{.key_value = {""}}, "allow.key_value: the name of a store has 1 to 64 letters"},
      {{.key_value = {"a/b"}}, "allow.key_value: the name of a store has 1 to 64 letters"},
  };
  for (const Case& c : cases) {
    Descriptor descriptor = valid();
    descriptor.options = c.options;
    Status status = check_descriptor(descriptor);
    ASSERT_FALSE(status) << c.error;
    EXPECT_EQ(status.error().kind, ErrorKind::kInvalid);
    EXPECT_THAT(status.error().detail, StartsWith(std::string(c.error)));
  }
  Descriptor fine = valid();
  fine.options = {.config = Config(64), .key_value = {"counters", "a.b_c-1"}};
  EXPECT_TRUE(check_descriptor(fine));
}

TEST(Descriptor, AcceptsAModuleThatNeverRuns) {
  Descriptor descriptor = valid();
  descriptor.attach_points.clear();
  EXPECT_TRUE(check_descriptor(descriptor));
}

class ModuleFile : public testing::Test {
 protected:
  void expect_unavailable(const std::string& path, const std::string& directory = "") {
    Result<std::string> content = read_module_file(path, directory);
    ASSERT_FALSE(content) << path;
    EXPECT_EQ(content.error().kind, ErrorKind::kInvalid);
    EXPECT_THAT(content.error().detail, StartsWith(std::string(kUnavailable)));
    details_.insert(content.error().detail);
    EXPECT_EQ(details_.size(), 1U) << "the reply tells causes apart";
    EXPECT_NE(content.error().cause, "");
  }

  test::TemporaryFolder folder_;
  std::set<std::string> details_;
};

TEST_F(ModuleFile, IsReadWhole) {
  std::string content("\0asm\1\0", 6);
  EXPECT_EQ(read_module_file(folder_.write("a.wasm", content), "").value(), content);
  EXPECT_EQ(read_module_file(folder_.write("b.WASM", content), "").value(), content);
}

TEST_F(ModuleFile, GivesOneAnswerToEveryPathThatCannotBeRead) {
  std::filesystem::create_directory(folder_.path("folder.wasm"));
  ASSERT_EQ(::mkfifo(folder_.path("fifo.wasm").c_str(), 0600), 0);
  folder_.link("dangling.wasm", folder_.path("nothing.wasm"));
  folder_.link("loop.wasm", folder_.path("loop.wasm"));
  folder_.link("device.wasm", "/dev/zero");
  folder_.link("text.wasm", folder_.write("text.txt", "secret"));
  for (const char* name : {"missing.wasm", "folder.wasm", "fifo.wasm", "dangling.wasm", "loop.wasm", "device.wasm",
                           "text.wasm", "no/folder.wasm"}) {
    expect_unavailable(folder_.path(name));
  }
  expect_unavailable("/proc/self/environ.wasm");
  folder_.write("a.wasm", "x");
  expect_unavailable(folder_.path("a.wasm/b.wasm"));
}

TEST_F(ModuleFile, GivesTheSameAnswerWhenItMayNotBeRead) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  std::filesystem::permissions(folder_.write("a.wasm", "x"), std::filesystem::perms::none);
  expect_unavailable(folder_.path("a.wasm"));
}

TEST_F(ModuleFile, GivesTheSameAnswerWhenItIsTooLarge) {
  // Sparse: no disk is written.
  std::string path = folder_.write("large.wasm", "");
  std::filesystem::resize_file(path, kModuleBytesMax + 1);
  expect_unavailable(path);
}

TEST_F(ModuleFile, MayBeAsLargeAsTheLimit) {
  std::string path = folder_.write("large.wasm", "");
  std::filesystem::resize_file(path, kModuleBytesMax);
  EXPECT_EQ(read_module_file(path, "")->size(), kModuleBytesMax);
}

TEST_F(ModuleFile, MayNotBeEmpty) {
  Result<std::string> content = read_module_file(folder_.write("empty.wasm", ""), "");
  EXPECT_EQ(content.error().detail, "Module file size cannot be 0");
}

TEST_F(ModuleFile, LiesInTheModuleDirectory) {
  std::string modules = folder_.make_folder("modules");
  std::string inside = folder_.write("modules/a.wasm", "inside");
  std::string outside = folder_.write("b.wasm", "outside");
  folder_.make_folder("modules/deeper");
  std::string deeper = folder_.write("modules/deeper/c.wasm", "deeper");
  EXPECT_EQ(read_module_file(inside, modules).value(), "inside");
  EXPECT_EQ(read_module_file(inside, modules + "/").value(), "inside");
  EXPECT_EQ(read_module_file(deeper, modules).value(), "deeper");
  EXPECT_EQ(read_module_file(modules + "/deeper/../a.wasm", modules).value(), "inside");
  expect_unavailable(outside, modules);
  expect_unavailable(modules + "/../b.wasm", modules);
  expect_unavailable(modules + "/missing.wasm", modules);
}

TEST_F(ModuleFile, IsNotTakenFromAFolderWhoseNameBeginsTheSame) {
  std::string modules = folder_.make_folder("modules");
  folder_.make_folder("modules2");
  expect_unavailable(folder_.write("modules2/a.wasm", "x"), modules);
}

TEST_F(ModuleFile, IsWhereItsLinksLeadAndNotWhereTheyLie) {
  std::string modules = folder_.make_folder("modules");
  std::string outside = folder_.write("outside.wasm", "outside");
  std::string inside = folder_.write("modules/inside.wasm", "inside");
  folder_.link("modules/out.wasm", outside);
  folder_.link("in.wasm", inside);
  folder_.link("alias", modules);
  expect_unavailable(modules + "/out.wasm", modules);
  EXPECT_EQ(read_module_file(folder_.path("in.wasm"), modules).value(), "inside");
  EXPECT_EQ(read_module_file(folder_.path("alias") + "/inside.wasm", folder_.path("alias")).value(), "inside");
}

TEST_F(ModuleFile, IsNotTakenWhenTheModuleDirectoryIsGone) {
  expect_unavailable(folder_.write("a.wasm", "x"), folder_.path("gone"));
  expect_unavailable(folder_.path("a.wasm"), folder_.path("a.wasm"));
}

TEST_F(ModuleFile, MayLieAnywhereWhenTheModuleDirectoryIsTheRoot) {
  EXPECT_EQ(read_module_file(folder_.write("a.wasm", "x"), "/").value(), "x");
}

}  // namespace
}  // namespace sandgate::modules
