// SPDX-License-Identifier: Apache-2.0
#include "telemetry/process_usage.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <string_view>

#include "platform/descriptor.h"

namespace sandgate::telemetry {
namespace {

std::uint64_t resident_bytes() {
  platform::Descriptor file(::open("/proc/self/statm", O_RDONLY | O_CLOEXEC));
  if (!file) return 0;
  std::array<char, 256> buffer;
  ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
  if (got <= 0) return 0;
  // "size resident shared ...", in pages.
  std::string_view text(buffer.data(), static_cast<std::size_t>(got));
  text.remove_prefix(std::min(text.size(), text.find(' ') + 1));
  std::uint64_t pages = 0;
  std::from_chars(text.data(), text.data() + text.size(), pages);
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::uint64_t nanoseconds(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(time.tv_usec) * 1000U;
}

std::uint64_t cpu_ns() {
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  return nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime);
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

std::uint64_t open_files() {
  // Since Linux 6.2 the size of the folder is the number of its entries; listing ten thousand of them takes
  // milliseconds.
  struct stat status{};
  if (::stat("/proc/self/fd", &status) == 0 && status.st_size > 0) return static_cast<std::uint64_t>(status.st_size);
  std::unique_ptr<DIR, CloseDirectory> directory(::opendir("/proc/self/fd"));
  if (directory == nullptr) return 0;
  std::uint64_t count = 0;
  while (const dirent* entry = ::readdir(directory.get())) {
    if (entry->d_name[0] != '.') ++count;
  }
  return count - 1;  // the folder's own
}

}  // namespace

ProcessUsage read_process_usage() {
  ProcessUsage usage;
  usage.resident_bytes = resident_bytes();
  usage.cpu_ns = cpu_ns();
  usage.open_files = open_files();
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) usage.open_files_max = limit.rlim_cur;
  return usage;
}

}  // namespace sandgate::telemetry
