// SPDX-License-Identifier: Apache-2.0
//
// Files that nobody else can have written: in a folder that is ours alone, read-only, made whole or not at all. Names
// are plain file names in the folder.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "platform/descriptor.h"

namespace sandgate::sandbox {

// Makes the folder if need be and opens it. kDenied when it is a symlink, another user's, or open to others in any way;
// the detail says how to mend it.
Result<platform::Descriptor> open_private_directory(const std::string& path);

// The whole file. kNotFound; kDenied when it is no regular file of ours with mode 0400; kTooLarge.
Result<std::string> read_private_file(const platform::Descriptor& directory, const std::string& name,
                                      std::uint64_t bytes_max);

enum class IfExists : unsigned char { kReplace, kKeep };
// Written to a temporary file, synced, put in place at once. With kKeep a file that is there already stays, and that is
// no error.
Status write_private_file(const platform::Descriptor& directory, const std::string& name, std::string_view content,
                          IfExists if_exists);

// The prefix of temporary files, so that those of a crashed process can be told.
inline constexpr std::string_view kTemporaryPrefix = "tmp-";

}  // namespace sandgate::sandbox
