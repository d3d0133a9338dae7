// SPDX-License-Identifier: Apache-2.0
//
// Files for start-up, deployment and caches; never on the request path. Blocking.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "platform/descriptor.h"

namespace sandgate::platform {

// The whole of a regular file. kNotFound, kDenied, kInvalid (no regular file), kTooLarge (over `bytes_max`); the path
// is in `cause` only.
Result<std::string> read_file(const std::string& path, std::uint64_t bytes_max);
// The same from an open descriptor, from its start.
Result<std::string> read_file(const Descriptor& file, std::uint64_t bytes_max);

// Replaces `path` so that a reader or a crash sees the old or the new content: temporary file beside it, fsync, rename,
// fsync of the folder.
Status write_file_atomically(const std::string& path, std::string_view content, unsigned mode);

// fsync of the folder that `path` is in: what was renamed there or removed from it stays so.
Status sync_folder_of(const std::string& path);

// Makes a folder (and its parents) with mode 0700, or checks that it is a folder of this user that others cannot write.
// kDenied with the command that mends it.
Status make_private_directory(const std::string& path);

// What errno means, with the number: "Permission denied (13)".
std::string system_error_text(int error_number);

}  // namespace sandgate::platform
