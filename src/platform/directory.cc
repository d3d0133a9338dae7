// SPDX-License-Identifier: Apache-2.0
#include "platform/directory.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>
#include <utility>

#include "platform/file.h"

namespace sandgate::platform {
namespace {

// The kernel gives up with EAGAIN when something was renamed while it resolved a name with "..": once is enough nearly
// always.
constexpr int kAttemptsMax = 8;

// O_NONBLOCK: a pipe or a device must not stop the thread before it is seen what it is.
int open_beneath(int directory, const char* name) {
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  long opened = -1;
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    opened = ::syscall(SYS_openat2, directory, name, &how, sizeof(how));
    if (opened >= 0 || (errno != EAGAIN && errno != EINTR)) break;
  }
  return static_cast<int>(opened);
}

std::unexpected<Error> open_failure(int error_number, const std::string& name) {
  std::string cause = fmt::format("{}: {}", name, system_error_text(error_number));
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case EXDEV:  // out of the folder
    case ENAMETOOLONG:
    case ENXIO:  // a socket, or a pipe without its other end
    case ENODEV: return fail(ErrorKind::kNotFound, "there is no such file", std::move(cause));
    case EACCES:
    case EPERM: return fail(ErrorKind::kDenied, "this file may not be read", std::move(cause));
    case EMFILE:
    case ENFILE:
    case ENOMEM: return fail(ErrorKind::kOverloaded, "too many files are open", std::move(cause));
    default: return fail(ErrorKind::kInternal, "opening a file failed", std::move(cause));
  }
}

OpenFile::Kind kind_of(mode_t mode) {
  if (S_ISREG(mode)) return OpenFile::Kind::kRegular;
  return S_ISDIR(mode) ? OpenFile::Kind::kDirectory : OpenFile::Kind::kOther;
}

}  // namespace

Result<std::size_t> OpenFile::read_at(std::uint64_t offset, std::span<char> room) const {
  std::size_t filled = 0;
  while (filled < room.size()) {
    ssize_t got =
        ::pread(descriptor.get(), room.data() + filled, room.size() - filled, static_cast<off_t>(offset + filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(ErrorKind::kInternal, "reading a file failed", system_error_text(errno));
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  return filled;
}

Result<Directory> Directory::open(const std::string& path) {
  Descriptor opened(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened) {
    int error_number = errno;
    ErrorKind kind = ErrorKind::kInternal;
    if (error_number == ENOENT) kind = ErrorKind::kNotFound;
    if (error_number == EACCES) kind = ErrorKind::kDenied;
    if (error_number == ENOTDIR) kind = ErrorKind::kInvalid;
    return fail(kind, fmt::format("cannot open the folder {}: {}", path, system_error_text(error_number)));
  }
  Descriptor itself(open_beneath(opened.get(), "."));
  if (!itself) {
    return fail(ErrorKind::kUnsupported,
                fmt::format("openat2 does not work here ({}); files are served with Linux 5.6 and later, where no "
                            "sandbox forbids that call",
                            system_error_text(errno)));
  }
  return Directory(std::move(opened));
}

Result<OpenFile> Directory::open_file(const std::string& name) const {
  OpenFile file;
  file.descriptor = Descriptor(open_beneath(descriptor_.get(), name.c_str()));
  if (!file.descriptor) return open_failure(errno, name);
  struct stat status{};
  if (::fstat(file.descriptor.get(), &status) != 0) return open_failure(errno, name);
  file.kind = kind_of(status.st_mode);
  file.size = static_cast<std::uint64_t>(status.st_size);
  file.inode = static_cast<std::uint64_t>(status.st_ino);
  file.modified_unix_s = status.st_mtim.tv_sec;
  file.modified_ns = static_cast<std::uint32_t>(status.st_mtim.tv_nsec);
  return file;
}

}  // namespace sandgate::platform
