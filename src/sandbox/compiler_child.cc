// SPDX-License-Identifier: Apache-2.0
//
// The compiler process: compiler.cc starts it, compile_arguments.h says with which words.
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>

#include "sandbox/compile_arguments.h"
#include "sandbox/compile_frame.h"
#include "sandbox/compiler.h"
#include "sandbox/confinement.h"
#include "sandbox/engine_error.h"
#include "sandgate_engine.h"

namespace sandgate::sandbox {
namespace {

constexpr std::size_t kPieceBytes = 65536;
constexpr int kUsage = 2;
constexpr int kNotConfined = 3;
constexpr int kBrokenPipe = 4;

bool read_all(std::string& module) {
  std::size_t used = 0;
  while (true) {
    module.resize(used + kPieceBytes);
    ssize_t got = ::read(STDIN_FILENO, module.data() + used, kPieceBytes);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    used += static_cast<std::size_t>(got);
    if (got == 0) {
      module.resize(used);
      return true;
    }
  }
}

bool write_all(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t wrote = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return true;
}

bool write_frame(CompileFrameHeader header, std::string_view payload) {
  header.payload_bytes = payload.size();
  return write_all({reinterpret_cast<const char*>(&header), sizeof header}) && write_all(payload);
}

bool write_error(CompileFrameHeader header, sg_error* error) {
  header.error_kind = static_cast<std::uint32_t>(::sg_error_get_kind(error));
  return write_frame(header, to_text(::sg_error_message(error)));
}

// The engine is made before system calls are confined, because it looks at the machine; the module is read after.
bool serve(const CompileArguments& arguments) {
  CompileFrameHeader header;
  sg_engine_config config{};
  config.memory_bytes_max = arguments.memory_bytes_max;
  config.stack_bytes = arguments.stack_bytes;
  config.instances_max = 1;
  sg_engine* engine = nullptr;
  if (sg_error* error = ::sg_engine_new(&config, &engine)) return write_error(header, error);
  header.unconfined = confine_system_calls() ? 0 : 1;

  std::string module;
  if (!read_all(module)) return false;
  sg_code* code = nullptr;
  if (sg_error* error = ::sg_compile(engine, to_bytes(module), &code)) return write_error(header, error);
  return write_frame(header, to_text(::sg_code_bytes(code)));
}

}  // namespace

int compiler_child_main(int argc, char** argv) {
  std::optional<CompileArguments> arguments = parse_compile_arguments(argc, argv);
  if (!arguments) {
    std::fputs("compile-module is for the server itself; it compiles a module from stdin and is started with limits\n",
               stderr);
    return kUsage;
  }
  Status limited = limit_resources({arguments->address_space_bytes, arguments->cpu_seconds}, arguments->parent);
  if (!limited) {
    fmt::print(stderr, "the compiler could not limit itself: {} {}\n", limited.error().detail, limited.error().cause);
    return kNotConfined;
  }
  // No destructors, no exit handlers: the system frees faster.
  ::_exit(serve(*arguments) ? 0 : kBrokenPipe);
}

}  // namespace sandgate::sandbox
