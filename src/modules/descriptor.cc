// SPDX-License-Identifier: Apache-2.0
#include "modules/descriptor.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/ascii.h"
#include "platform/descriptor.h"
#include "platform/file.h"

namespace sandgate::modules {
namespace {

constexpr std::string_view kExtension = ".wasm";
static_assert(kModuleBytesMax == std::uint64_t{64} << 20, "the text below names it");
constexpr std::string_view kUnavailable =
    "Module file is not available at the requested path: it must be a regular file of at most 64 MiB that the server "
    "may "
    "read, and inside the module directory when the server was started with --module-dir";

bool is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || ascii_digit(c) || c == '.' || c == '_' || c == '-';
}

bool has_extension(std::string_view path) {
  return path.size() > kExtension.size() &&
         equals_ignoring_case(path.substr(path.size() - kExtension.size()), kExtension);
}

Status check_config(const ModuleOptions& options) {
  if (!options.config) return {};
  if (options.config->size() > ModuleOptions::kConfigEntriesMax) {
    return fail(ErrorKind::kInvalid, fmt::format("config has {} entries; at most {} are allowed",
                                                 options.config->size(), ModuleOptions::kConfigEntriesMax));
  }
  std::size_t bytes = 0;
  for (const auto& [name, value] : *options.config) bytes += name.size() + value.size();
  if (bytes <= ModuleOptions::kConfigBytesMax) return {};
  return fail(ErrorKind::kInvalid,
              fmt::format("config has {} bytes; at most {} are allowed", bytes, ModuleOptions::kConfigBytesMax));
}

Status check_range(std::string_view what, std::uint32_t value, std::uint32_t most) {
  if (value >= 1 && value <= most) return {};
  return fail(ErrorKind::kInvalid, fmt::format("{} is {}; it must be 1 to {}", what, value, most));
}

Status check_path(std::string_view path) {
  if (path.empty()) return fail(ErrorKind::kInvalid, "Module file path cannot be empty");
  if (path.find('\0') != std::string_view::npos) {
    return fail(ErrorKind::kInvalid, "Module file path cannot contain a NUL byte");
  }
  if (path.front() != '/') return fail(ErrorKind::kInvalid, "Module file path must be absolute");
  if (path.size() >= kPathBytesMax) return fail(ErrorKind::kInvalid, "Module file path is too long");
  if (!has_extension(path)) return fail(ErrorKind::kInvalid, "Module file must have .wasm extension");
  return {};
}

std::unexpected<Error> unavailable(std::string cause) {
  return fail(ErrorKind::kInvalid, std::string(kUnavailable), std::move(cause));
}

std::unexpected<Error> system_failure(std::string_view doing) {
  return unavailable(fmt::format("{}: {}", doing, platform::system_error_text(errno)));
}

std::string opened_by(const platform::Descriptor& file) { return fmt::format("/proc/self/fd/{}", file.get()); }

// The path of an open file, as the kernel resolved it. Empty when there is none.
std::string real_path(const platform::Descriptor& file) {
  std::array<char, kPathBytesMax> path;
  ssize_t length = ::readlink(opened_by(file).c_str(), path.data(), path.size());
  if (length <= 0 || static_cast<std::size_t>(length) == path.size() || path[0] != '/') return {};
  return {path.data(), static_cast<std::size_t>(length)};
}

Status check_inside(const std::string& file_path, const std::string& module_directory) {
  platform::Descriptor directory(::open(module_directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return system_failure("opening the module directory");
  std::string folder = real_path(directory);
  if (folder.empty()) return unavailable("the module directory has no path");
  if (folder.back() != '/') folder += '/';
  if (!file_path.starts_with(folder)) return unavailable(fmt::format("{} is outside {}", file_path, folder));
  return {};
}

}  // namespace

Status check_module_name(std::string_view name) {
  if (name.empty()) return fail(ErrorKind::kInvalid, "Module name cannot be empty");
  if (name.size() > kNameBytesMax) {
    return fail(ErrorKind::kInvalid, fmt::format("Module name cannot be longer than {} characters", kNameBytesMax));
  }
  if (!std::ranges::all_of(name, is_name_byte)) {
    return fail(ErrorKind::kInvalid, "Module name may only contain letters, digits, '.', '_' and '-'");
  }
  return {};
}

Status check_options(const ModuleOptions& options) {
  if (Status checked = check_config(options); !checked) return checked;
  if (options.key_value.size() > ModuleOptions::kKeyValueStoresMax) {
    return fail(ErrorKind::kInvalid, fmt::format("allow.key_value names {} stores; at most {} are allowed",
                                                 options.key_value.size(), ModuleOptions::kKeyValueStoresMax));
  }
  for (const std::string& store : options.key_value) {
    if (store.empty() || store.size() > kNameBytesMax || !std::ranges::all_of(store, is_name_byte)) {
      return fail(ErrorKind::kInvalid,
                  fmt::format("allow.key_value: the name of a store has 1 to {} letters, digits, '.', '_' and '-'",
                              kNameBytesMax));
    }
  }
  if (options.limits.memory_bytes != 0 && options.limits.memory_bytes < ModuleLimits::kMemoryBytesMin) {
    return fail(ErrorKind::kInvalid, fmt::format("limits.memory_bytes is {}; an instance needs at least one page, {}",
                                                 options.limits.memory_bytes, ModuleLimits::kMemoryBytesMin));
  }
  if (Status checked = check_range("reuse.max_calls", options.reuse_calls_max, ModuleOptions::kReuseCallsMax); !checked)
    return checked;
  return check_range("reuse.max_age_s", options.reuse_seconds_max, ModuleOptions::kReuseSecondsMax);
}

Status check_descriptor(const Descriptor& descriptor) {
  if (Status checked = check_module_name(descriptor.name); !checked) return checked;
  if (Status checked = check_path(descriptor.file_path); !checked) return checked;
  return check_options(descriptor.options);
}

Result<std::string> read_module_file(const std::string& path, const std::string& module_directory) {
  // O_PATH opens nothing but the name: no device is touched, no FIFO waits. From here on the descriptor stands for the
  // file.
  platform::Descriptor found(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!found) return system_failure("opening");
  struct stat status{};
  if (::fstat(found.get(), &status) != 0) return system_failure("reading its attributes");
  if (!S_ISREG(status.st_mode)) return unavailable("not a regular file");
  std::string resolved = real_path(found);
  if (!has_extension(resolved)) return unavailable(fmt::format("the real path {} does not end in .wasm", resolved));
  if (!module_directory.empty()) {
    if (Status inside = check_inside(resolved, module_directory); !inside) return fail(inside.error());
  }
  platform::Descriptor file(::open(opened_by(found).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return system_failure("opening for reading");
  Result<std::string> content = platform::read_file(file, kModuleBytesMax);
  if (!content) return unavailable(fmt::format("{} {}", content.error().detail, content.error().cause));
  if (content->empty()) return fail(ErrorKind::kInvalid, "Module file size cannot be 0");
  return content;
}

}  // namespace sandgate::modules
