// SPDX-License-Identifier: Apache-2.0
//
// Compiled code on disk, so that a restart compiles nothing. What is in here will run as native code of the server, so
// a file only counts when all of this holds: the folder is ours alone (0700, no symlink), the file is a regular one of
// ours with mode 0400, and its MAC, by a random key of that folder, fits the engine's fingerprint, the module and the
// content. Anything else is ignored, removed and compiled again. Thread-safe; several servers may share a folder.
// Blocking.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "platform/descriptor.h"

namespace sandgate::sandbox {

class CodeCache {
 public:
  // The code of a large module is 50 MB; beyond this something is wrong, and it is not kept.
  static constexpr std::uint64_t kFileBytesMax = std::uint64_t{256} << 20;
  // All files together; the ones not used for longest go first.
  static constexpr std::uint64_t kBytesMax = std::uint64_t{1} << 30;

  // Makes the folder when there is none. kDenied with what to do when it is not ours alone; else what the system says.
  static Result<std::unique_ptr<CodeCache>> open(const std::string& directory, std::string_view fingerprint,
                                                 std::uint64_t bytes_max = kBytesMax);

  // The code of the module with this sha256 (64 lower-case hex digits), if there is any that can be trusted.
  std::optional<std::string> find(std::string_view sha256_hex) const;
  // Keeps the code; failing to is logged and costs a compilation later, no more.
  void store(std::string_view sha256_hex, std::string_view code) const;
  // Forgets what find() gave: the engine would not load it.
  void remove(std::string_view sha256_hex) const;

 private:
  CodeCache(platform::Descriptor directory, std::string key, std::string_view fingerprint, std::uint64_t bytes_max);
  std::string file_name(std::string_view sha256_hex) const;
  std::string mac(std::string_view sha256_hex, std::string_view code) const;
  Result<std::string> read_trusted(const std::string& name, std::string_view sha256_hex) const;
  void remove_oldest() const;

  platform::Descriptor directory_;
  std::string key_;
  std::string fingerprint_;
  std::string fingerprint_digest_;  // for file names
  std::uint64_t bytes_max_;
};

}  // namespace sandgate::sandbox
