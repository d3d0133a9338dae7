// SPDX-License-Identifier: Apache-2.0
#include "modules/data_directory.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "base/loop.h"
#include "platform/file.h"

namespace sandgate::modules {
namespace {

// A server that was killed may have a child between fork and exec that holds the lock for a blink; a supervisor that
// starts the next one at once should not fail for that.
constexpr Milliseconds kLookAgain{20};
constexpr int kLooks = 25;

bool lock(const platform::Descriptor& file) {
  for (int look = 0; look < kLooks; ++look) {
    if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return true;
    if (errno != EWOULDBLOCK && errno != EINTR) return false;
    std::this_thread::sleep_for(kLookAgain);
  }
  errno = EWOULDBLOCK;
  return false;
}

// A lock of flock(2) is its open file description's: whoever shares that has the lock.
platform::Descriptor duplicate(const platform::Descriptor& descriptor) {
  return platform::Descriptor(::fcntl(descriptor.get(), F_DUPFD_CLOEXEC, 0));
}

bool is_same_file(const platform::Descriptor& one, const platform::Descriptor& other) {
  struct stat a{};
  struct stat b{};
  return ::fstat(one.get(), &a) == 0 && ::fstat(other.get(), &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

}  // namespace

Result<platform::Descriptor> DataDirectory::share_lock() const {
  platform::Descriptor shared = duplicate(lock_);
  if (shared) return shared;
  return fail(ErrorKind::kInternal, fmt::format("the lock of {} cannot be shared", path_),
              platform::system_error_text(errno));
}

Result<DataDirectory> DataDirectory::open(const std::string& given) { return open(given, platform::Descriptor()); }

Result<DataDirectory> DataDirectory::open(const std::string& given, const platform::Descriptor& shared) {
  // "data/" is a folder in "data" for those who make parents.
  std::string path = given;
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  if (Status made = platform::make_private_directory(path); !made) {
    Error error = std::move(made.error());
    error.detail = fmt::format("the data directory: {}", error.detail);
    return fail(std::move(error));
  }
  std::string name = path + "/lock";
  platform::Descriptor file(::open(name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) {
    return fail(ErrorKind::kDenied,
                fmt::format("the data directory {} cannot be written; name another --data-dir", path),
                fmt::format("{}: {}", name, platform::system_error_text(errno)));
  }
  if (shared && is_same_file(shared, file)) file = duplicate(shared);
  const bool is_shared = shared && is_same_file(shared, file);
  if (lock(file)) return DataDirectory(path, std::move(file), is_shared);
  if (errno != EWOULDBLOCK) {
    return fail(ErrorKind::kInternal, fmt::format("the data directory {} cannot be locked", path),
                platform::system_error_text(errno));
  }
  return fail(ErrorKind::kOverloaded,
              fmt::format("the data directory {} is in use by another running server: stop that one, or give this one "
                          "its own with --data-dir DIR, or none with --ephemeral",
                          path));
}

}  // namespace sandgate::modules
