// SPDX-License-Identifier: Apache-2.0
#include "tests/support/paths.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace sandgate::test {
namespace {

std::string setting(const char* variable, const char* built_in) {
  const char* value = std::getenv(variable);
  return value != nullptr ? value : built_in;
}

}  // namespace

std::string source_path(std::string_view relative) {
  std::string path = setting("SANDGATE_SOURCE_DIR", SANDGATE_SOURCE_DIR);
  if (!relative.empty()) path.append("/").append(relative);
  return path;
}

std::string guest_path(std::string_view name) {
  return setting("SANDGATE_GUEST_DIR", SANDGATE_GUEST_DIR).append("/").append(name).append(".wasm");
}

std::string read_guest(std::string_view name) {
  const std::string path = guest_path(name);
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "no guest %s: build the target `guests`\n", path.c_str());
    std::abort();
  }
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string binary_path() { return setting("SANDGATE_BINARY", SANDGATE_BINARY); }

}  // namespace sandgate::test
