// SPDX-License-Identifier: Apache-2.0
#include "cli/new_command.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "cli/commands.h"
#include "modules/descriptor.h"
#include "platform/file.h"

// The assembler's own way of including a file; the linker finds the symbols.
asm(R"(
  .section .rodata
  .global sandgate_sdk_begin
  .global sandgate_sdk_end
sandgate_sdk_begin:
  .incbin ")" SANDGATE_SDK R"("
sandgate_sdk_end:
  .byte 0
  .text
)");

extern "C" const char sandgate_sdk_begin[];
extern "C" const char sandgate_sdk_end[];

namespace sandgate::cli {
namespace {

constexpr std::string_view kMark = "==> ";

constexpr std::string_view kMiddleware = R"(// NAME: what it does, in a line or two.
#include <sandgate/middleware.h>

using namespace sandgate::guest;

namespace {

Action on_request(const Request& request) {
  if (request.path.starts_with("/private")) return reject(403);
  return proceed().set_header("x-NAME", "1");
}

Action on_response(const Response& response) {
  if (response.status == 500) return proceed().status(503);
  return proceed();
}

}  // namespace

SANDGATE_ON_REQUEST(on_request)
SANDGATE_ON_RESPONSE(on_response)
)";

constexpr std::string_view kBuild = R"sh(#!/usr/bin/env bash
# Builds NAME.wasm. Needs clang and lld 19 and the wasm headers of libc++ 19:
#   apt-get install clang-19 lld-19 libc++-19-dev-wasm32 wasi-libc
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
"${CXX:-clang++-19}" --config=sdk/guest.cfg middleware.cc -o NAME.wasm
echo "NAME.wasm: $(stat --format=%s NAME.wasm) bytes"
)sh";

constexpr std::string_view kReadme = R"(# NAME

Middleware for Sandgate, in [middleware.cc](middleware.cc).

```
./build.sh                                                            # makes NAME.wasm
sandgate check NAME.wasm                                              # what it needs and where it can be attached
sandgate modules deploy NAME NAME.wasm --attach OnRequest,OnResponse  # into the gateway on port 3000, which keeps running
```

`sdk/` has the headers; they document themselves, beginning with `sdk/include/sandgate/middleware.h`.
)";

std::string with_name(std::string_view text, std::string_view name) {
  constexpr std::string_view kPlace = "NAME";
  std::string out(text);
  for (std::size_t at = 0; (at = out.find(kPlace, at)) != std::string::npos; at += name.size())
    out.replace(at, kPlace.size(), name);
  return out;
}

Status write(const std::filesystem::path& file, std::string_view text, unsigned mode) {
  std::error_code failure;
  std::filesystem::create_directories(file.parent_path(), failure);
  if (failure) {
    return fail(ErrorKind::kInvalid, fmt::format("{}: {}", file.parent_path().string(), failure.message()));
  }
  return platform::write_file_atomically(file.string(), text, mode);
}

Status write_sdk(const std::filesystem::path& folder) {
  std::string_view packed(sandgate_sdk_begin, static_cast<std::size_t>(sandgate_sdk_end - sandgate_sdk_begin));
  while (packed.starts_with(kMark)) {
    std::size_t line = packed.find('\n');
    std::string_view path = packed.substr(kMark.size(), line - kMark.size());
    packed.remove_prefix(line + 1);
    std::size_t next = packed.find("\n==> ");
    std::string_view text = packed.substr(0, next == std::string_view::npos ? next : next + 1);
    packed.remove_prefix(text.size());
    if (Status wrote = write(folder / path, text, 0644); !wrote) return wrote;
  }
  return {};
}

Status write_project(const std::string& name) {
  std::filesystem::path folder(name);
  Status wrote = write(folder / "middleware.cc", with_name(kMiddleware, name), 0644);
  if (wrote) wrote = write(folder / "build.sh", with_name(kBuild, name), 0755);
  if (wrote) wrote = write(folder / "README.md", with_name(kReadme, name), 0644);
  if (wrote) wrote = write_sdk(folder / "sdk");
  return wrote;
}

}  // namespace

int new_middleware(const NewOptions& options) {
  Status named = modules::check_module_name(options.name);
  if (!named) {
    fmt::print(stderr, "sandgate new: {}\n", named.error().detail);
    return kExitUsage;
  }
  if (::mkdir(options.name.c_str(), 0777) != 0) {
    fmt::print(stderr, "sandgate new: {}: {}\n", options.name, platform::system_error_text(errno));
    return kExitFailed;
  }
  Status wrote = write_project(options.name);
  if (!wrote) {
    fmt::print(stderr, "sandgate new: {} {}\n", wrote.error().detail, wrote.error().cause);
    return kExitFailed;
  }
  fmt::print("{0}/ is ready. Build it with {0}/build.sh, then: sandgate check {0}/{0}.wasm\n", options.name);
  return kExitOk;
}

}  // namespace sandgate::cli
