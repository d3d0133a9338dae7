// SPDX-License-Identifier: Apache-2.0
//
// What someone asks to deploy, and the checks that need no compiler: the name, the path, the attach points, and the
// file itself. Checking the text is pure; reading the file blocks and runs on the deployer's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "modules/module_options.h"
#include "modules/module_store.h"

namespace sandgate::modules {

// Long enough for any name a person types; it becomes a metric label and a word in every log line.
inline constexpr std::size_t kNameBytesMax = 64;
// Guests with a language runtime inside reach 15 MiB; the compiler's child process handles this much within its own
// limits.
inline constexpr std::uint64_t kModuleBytesMax = std::uint64_t{64} << 20;
// PATH_MAX of the system.
inline constexpr std::size_t kPathBytesMax = 4096;

struct Descriptor {
  std::string name;
  std::string file_path;
  std::vector<AttachPoint> attach_points;  // empty: deployed, but never runs
  ModuleOptions options{};
};

// kInvalid with what is wrong: name not [A-Za-z0-9._-]{1,64}; path empty, not absolute, with a NUL byte, too long or
// without the extension .wasm; options out of their ranges.
Status check_descriptor(const Descriptor& descriptor);

// The parts of it. A store's name is like a module's; a setting's name and value may be anything within the bounds.
Status check_module_name(std::string_view name);
Status check_options(const ModuleOptions& options);

// The content of a module file. Symbolic links are followed, then the file that was opened is checked, not its name
// again: a regular file whose real path ends in .wasm and lies in `module_directory`, when that is not empty.
// Everything that keeps the file from being read gives one and the same kInvalid detail, so that the reply does not
// tell whether a file exists; `cause` tells it to the log. An empty file that passes all checks says so.
Result<std::string> read_module_file(const std::string& path, const std::string& module_directory);

}  // namespace sandgate::modules
