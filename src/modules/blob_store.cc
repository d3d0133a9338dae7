// SPDX-License-Identifier: Apache-2.0
#include "modules/blob_store.h"

#include <fmt/core.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>
#include <vector>

#include "modules/descriptor.h"
#include "platform/digest.h"
#include "platform/file.h"

namespace sandgate::modules {
namespace {

constexpr std::string_view kSuffix = ".wasm";
constexpr unsigned kMode = 0600;

std::vector<std::filesystem::path> files_in(const std::string& directory) {
  std::vector<std::filesystem::path> files;
  std::error_code failure;
  for (std::filesystem::directory_iterator entry(directory, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    files.push_back(entry->path());
  }
  return files;
}

}  // namespace

std::string BlobStore::path_of(std::string_view sha256_hex) const {
  return fmt::format("{}/{}{}", directory_, sha256_hex, kSuffix);
}

Status BlobStore::prepare() const { return platform::make_private_directory(directory_); }

Status BlobStore::write(std::string_view sha256_hex, std::string_view content) const {
  Status written = platform::write_file_atomically(path_of(sha256_hex), content, kMode);
  if (written) return {};
  return fail(ErrorKind::kInternal, "the module's file cannot be written to the data directory; is the disk full?",
              written.error().cause);
}

Result<std::string> BlobStore::read(std::string_view sha256_hex) const {
  Result<std::string> content = platform::read_file(path_of(sha256_hex), kModuleBytesMax);
  if (!content && content.error().kind == ErrorKind::kNotFound)
    return fail(ErrorKind::kNotFound, fmt::format("its file blobs/{}{} is missing", sha256_hex, kSuffix));
  if (!content) {
    return fail(content.error().kind, fmt::format("its file blobs/{}{} cannot be read", sha256_hex, kSuffix),
                content.error().detail + " " + content.error().cause);
  }
  if (platform::sha256_hex(*content) != sha256_hex) {
    return fail(ErrorKind::kInvalid,
                fmt::format("its file blobs/{}{} is damaged: it has another sha256", sha256_hex, kSuffix));
  }
  return content;
}

void BlobStore::remove(std::string_view sha256_hex) const { ::unlink(path_of(sha256_hex).c_str()); }

bool BlobStore::empty() const { return files_in(directory_).empty(); }

void BlobStore::remove_unless(const std::function<bool(std::string_view)>& needed) const {
  for (const std::filesystem::path& file : files_in(directory_)) {
    if (file.extension() == kSuffix && needed(file.stem().native())) continue;
    ::unlink(file.c_str());
  }
}

}  // namespace sandgate::modules
