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
#include <vector>

#include "base/check.h"

namespace sandgate::sandbox::testing {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sandgate-test-XXXXXX").string();
    SANDGATE_CHECK(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  std::string path(std::string_view name = "") const { return name.empty() ? path_ : path_ + "/" + std::string(name); }

  // Makes or replaces a file; `mode` afterwards.
  void write(std::string_view name, std::string_view content, unsigned mode = 0644) const {
    std::filesystem::remove(path(name));
    std::ofstream(path(name), std::ios::binary) << content;
    std::filesystem::permissions(path(name), static_cast<std::filesystem::perms>(mode));
  }
  std::string read(std::string_view name) const {
    std::ifstream file(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // Names in the folder that end so.
  std::vector<std::string> names(std::string_view suffix) const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      std::string name = entry.path().filename().string();
      if (name.ends_with(suffix)) found.push_back(name);
    }
    return found;
  }

 private:
  std::string path_;
};

}  // namespace sandgate::sandbox::testing
