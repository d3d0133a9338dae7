// SPDX-License-Identifier: Apache-2.0
//
// A folder whose files are given to strangers. Opened once; names are resolved by the kernel below it and nowhere else
// (openat2 with RESOLVE_BENEATH and RESOLVE_NO_MAGICLINKS): "..", an absolute link and a link that leads out are all
// the same as a file that is not there, whatever changes on disk meanwhile. Links that stay inside work when they are
// relative. Replacing the folder itself is seen only by who opens it again. Shared by all threads.
//
// Opening and reading block while the disk works, so that is for files that the page cache holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"
#include "platform/descriptor.h"

namespace sandgate::platform {

// An open file and what it was when it was opened.
struct OpenFile {
  enum class Kind : unsigned char { kRegular, kDirectory, kOther };

  Descriptor descriptor;
  Kind kind = Kind::kOther;
  std::uint64_t size = 0;
  std::uint64_t inode = 0;
  std::int64_t modified_unix_s = 0;
  std::uint32_t modified_ns = 0;  // within the second

  // Bytes from `offset` on: as many as there are room for, fewer at the end of the file, 0 behind it. kInternal.
  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> room) const;
};

class Directory {
 public:
  // kNotFound, kDenied, kInvalid (no folder), kUnsupported (the kernel has no openat2, or a sandbox forbids it).
  static Result<Directory> open(const std::string& path);

  // `name` is relative, without a NUL. Never waits for the other end of a pipe. kNotFound, also for what lies outside;
  // kDenied; kOverloaded (no descriptor left); kInternal.
  Result<OpenFile> open_file(const std::string& name) const;

 private:
  explicit Directory(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

  Descriptor descriptor_;
};

}  // namespace sandgate::platform
