// SPDX-License-Identifier: Apache-2.0
//
// A folder that is empty when the test begins and gone when it ends.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>

#include "base/check.h"

namespace sandgate::test {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    // Without symbolic links on the way, so that tests can compare paths.
    std::string pattern =
        (std::filesystem::canonical(std::filesystem::temp_directory_path()) / "sandgate-test-XXXXXX").string();
    SANDGATE_CHECK(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  // Of something in the folder, or of the folder itself.
  std::string path(std::string_view name = "") const { return name.empty() ? path_ : path_ + "/" + std::string(name); }
  // Makes or replaces a file and returns its path.
  std::string write(std::string_view name, std::string_view content) const {
    std::ofstream(path(name), std::ios::binary | std::ios::trunc) << content;
    return path(name);
  }
  std::string read(std::string_view name) const {
    std::ifstream file(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::string make_folder(std::string_view name) const {
    std::filesystem::create_directories(path(name));
    return path(name);
  }
  // A symbolic link in the folder.
  std::string link(std::string_view name, const std::string& target) const {
    std::filesystem::create_symlink(target, path(name));
    return path(name);
  }

 private:
  std::string path_;
};

}  // namespace sandgate::test
