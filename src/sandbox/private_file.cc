// SPDX-License-Identifier: Apache-2.0
#include "sandbox/private_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "platform/entropy.h"
#include "platform/file.h"

namespace sandgate::sandbox {
namespace {

using platform::Descriptor;

constexpr mode_t kPermissionBits = 07777;
constexpr mode_t kReadOnlyForUs = 0400;

std::unexpected<Error> system_failure(std::string_view doing, const std::string& name) {
  int error_number = errno;
  ErrorKind kind = error_number == ENOENT  ? ErrorKind::kNotFound
                   : error_number == ELOOP ? ErrorKind::kDenied
                                           : ErrorKind::kInternal;
  return fail(kind, fmt::format("{} failed", doing),
              fmt::format("{}: {}", name, platform::system_error_text(error_number)));
}

bool write_all(const Descriptor& file, std::string_view content) {
  while (!content.empty()) {
    ssize_t wrote = ::write(file.get(), content.data(), content.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    content.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return true;
}

bool put_in_place(const Descriptor& directory, const std::string& temporary, const std::string& name,
                  IfExists if_exists) {
  if (if_exists == IfExists::kReplace)
    return ::renameat(directory.get(), temporary.c_str(), directory.get(), name.c_str()) == 0;
  // A link fails when the name is taken, a rename would not.
  bool linked = ::linkat(directory.get(), temporary.c_str(), directory.get(), name.c_str(), 0) == 0 || errno == EEXIST;
  int error_number = errno;
  ::unlinkat(directory.get(), temporary.c_str(), 0);
  errno = error_number;
  return linked;
}

}  // namespace

Result<Descriptor> open_private_directory(const std::string& path) {
  Status made = platform::make_private_directory(path);
  if (!made) return fail(std::move(made.error()));
  Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) return system_failure("opening a folder", path);
  // Asked of the open folder: what was checked by name may have been replaced since.
  struct stat status{};
  if (::fstat(directory.get(), &status) != 0) return system_failure("reading a folder", path);
  if (status.st_uid != ::geteuid())
    return fail(ErrorKind::kDenied, fmt::format("{} belongs to another user; name a folder of your own", path));
  if ((status.st_mode & 0077) != 0)
    return fail(ErrorKind::kDenied, fmt::format("{0} is open to others; run: chmod 700 {0}", path));
  return directory;
}

Result<std::string> read_private_file(const Descriptor& directory, const std::string& name, std::uint64_t bytes_max) {
  // O_NONBLOCK: a FIFO under this name must not hang us; it is refused below.
  Descriptor file(::openat(directory.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file) return system_failure("opening a file", name);
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return system_failure("reading a file", name);
  if (!S_ISREG(status.st_mode)) return fail(ErrorKind::kDenied, "not a regular file", name);
  if (status.st_uid != ::geteuid()) return fail(ErrorKind::kDenied, "belongs to another user", name);
  if ((status.st_mode & kPermissionBits) != kReadOnlyForUs) {
    return fail(ErrorKind::kDenied, fmt::format("has mode {:04o} instead of 0400", status.st_mode & kPermissionBits),
                name);
  }
  return platform::read_file(file, bytes_max);
}

Status write_private_file(const Descriptor& directory, const std::string& name, std::string_view content,
                          IfExists if_exists) {
  std::string temporary = std::string(kTemporaryPrefix) + platform::make_uuid();
  Descriptor file(::openat(directory.get(), temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                           kReadOnlyForUs));
  if (!file) return system_failure("creating a file", temporary);
  // fchmod: the umask may have taken bits away.
  bool done = ::fchmod(file.get(), kReadOnlyForUs) == 0 && write_all(file, content) && ::fsync(file.get()) == 0 &&
              put_in_place(directory, temporary, name, if_exists);
  if (!done) {
    Status failed = system_failure("writing a file", name);
    ::unlinkat(directory.get(), temporary.c_str(), 0);
    return failed;
  }
  if (::fsync(directory.get()) != 0) return system_failure("syncing a folder", name);
  return {};
}

}  // namespace sandgate::sandbox
