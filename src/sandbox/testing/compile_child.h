// SPDX-License-Identifier: Apache-2.0
//
// Where the build put sandbox_compile_child: beside the test program.
#pragma once

#include <filesystem>
#include <string>

namespace sandgate::sandbox::testing {

inline std::string compile_child_path() {
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "sandbox_compile_child").string();
}

}  // namespace sandgate::sandbox::testing
