// SPDX-License-Identifier: Apache-2.0
#include "platform/file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "platform/entropy.h"

namespace sandgate::platform {
namespace {

ErrorKind kind_of(int error_number) {
  if (error_number == ENOENT || error_number == ENOTDIR) return ErrorKind::kNotFound;
  if (error_number == EACCES || error_number == EPERM) return ErrorKind::kDenied;
  return ErrorKind::kInternal;
}

std::unexpected<Error> system_failure(std::string_view doing, const std::string& path) {
  int error_number = errno;
  return fail(kind_of(error_number), fmt::format("{} failed", doing),
              fmt::format("{}: {}", path, system_error_text(error_number)));
}

Status write_all(const Descriptor& file, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    ssize_t wrote = ::write(file.get(), content.data(), content.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return system_failure("writing a file", path);
    content.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return {};
}

}  // namespace

std::string system_error_text(int error_number) {
  return fmt::format("{} ({})", std::generic_category().message(error_number), error_number);
}

Result<std::string> read_file(const std::string& path, std::uint64_t bytes_max) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return system_failure("opening a file", path);
  return read_file(file, bytes_max);
}

Result<std::string> read_file(const Descriptor& file, std::uint64_t bytes_max) {
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return system_failure("reading a file", "");
  if (!S_ISREG(status.st_mode)) return fail(ErrorKind::kInvalid, "not a regular file");
  if (static_cast<std::uint64_t>(status.st_size) > bytes_max)
    return fail(ErrorKind::kTooLarge, fmt::format("larger than {} bytes", bytes_max));
  std::string content(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t at = 0;
  while (at < content.size()) {
    ssize_t got = ::pread(file.get(), content.data() + at, content.size() - at, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_failure("reading a file", "");
    if (got == 0) break;
    at += static_cast<std::size_t>(got);
  }
  content.resize(at);
  return content;
}

Status write_file_atomically(const std::string& path, std::string_view content, unsigned mode) {
  std::string temporary = path + "." + make_uuid() + ".tmp";
  Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!file) return system_failure("creating a file", temporary);
  Status wrote = write_all(file, content, temporary);
  if (wrote && (::fchmod(file.get(), mode) != 0 || ::fsync(file.get()) != 0))
    wrote = system_failure("writing a file", temporary);
  if (wrote && ::rename(temporary.c_str(), path.c_str()) != 0) wrote = system_failure("renaming a file", path);
  if (!wrote) {
    ::unlink(temporary.c_str());
    return wrote;
  }
  return sync_folder_of(path);
}

Status sync_folder_of(const std::string& path) {
  std::string folder = std::filesystem::path(path).parent_path().string();
  Descriptor directory(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || ::fsync(directory.get()) != 0) return system_failure("syncing a folder", folder);
  return {};
}

Status make_private_directory(const std::string& path) {
  std::error_code failure;
  std::filesystem::path folder(path);
  if (folder.has_parent_path()) std::filesystem::create_directories(folder.parent_path(), failure);
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return system_failure("creating a folder", path);
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return system_failure("reading a folder", path);
  if (!S_ISDIR(status.st_mode))
    return fail(ErrorKind::kDenied, fmt::format("{} is not a folder; remove it or name another one", path));
  if (status.st_uid != ::geteuid())
    return fail(ErrorKind::kDenied, fmt::format("{} belongs to another user; name a folder of your own", path));
  if ((status.st_mode & 0022) != 0)
    return fail(ErrorKind::kDenied, fmt::format("{0} can be written by others; run: chmod go-w {0}", path));
  return {};
}

}  // namespace sandgate::platform
