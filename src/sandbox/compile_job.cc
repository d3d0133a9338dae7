// SPDX-License-Identifier: Apache-2.0
#include "sandbox/compile_job.h"

#include <fmt/core.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <optional>
#include <utility>

#include "platform/log.h"
#include "sandbox/compile_arguments.h"
#include "sandbox/compile_frame.h"
#include "sandbox/engine_error.h"

namespace sandgate::sandbox {
namespace {

std::uint64_t seconds_of(const CompilerOptions& options) {
  return static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::seconds>(options.time).count());
}

// The words of the allocators when address space is used up: Rust's, C++'s, and the system's.
bool speaks_of_memory(std::string_view text) {
  for (std::string_view words : {"memory allocation of", "bad_alloc", "Cannot allocate memory", "os error 12",
                                 "failed to create memory mapping", "out of memory"}) {
    if (text.find(words) != std::string_view::npos) return true;
  }
  return false;
}

std::unexpected<Error> out_of_time(const CompilerOptions& options) {
  return fail(ErrorKind::kTooLarge, fmt::format("compiling the module needed more than {} s", seconds_of(options)));
}

std::unexpected<Error> out_of_memory(const CompilerOptions& options, std::string cause) {
  return fail(ErrorKind::kTooLarge,
              fmt::format("compiling the module needed more than {} MiB of memory", options.address_space_bytes >> 20),
              std::move(cause));
}

std::unexpected<Error> crashed(const ChildEnd& end, const CompilerOptions& options) {
  std::string words = log::escaped(end.diagnostics, 1024);
  if (end.how == ChildEnd::How::kSignalled && end.code == SIGXCPU) return out_of_time(options);
  // We did not send it: the kernel did, which had no memory left.
  if (end.how == ChildEnd::How::kSignalled && end.code == SIGKILL) {
    return fail(ErrorKind::kTooLarge, "the system ended the compiler of this module, as it does when memory runs out",
                words);
  }
  if (speaks_of_memory(end.diagnostics)) return out_of_memory(options, words);
  if (end.how == ChildEnd::How::kSignalled) {
    return fail(ErrorKind::kInternal, "the compiler crashed on this module",
                fmt::format("signal {} ({}): {}", end.code, ::strsignal(end.code), words));
  }
  return fail(ErrorKind::kInternal, "the compiler failed on this module",
              fmt::format("exit code {}: {}", end.code, words));
}

}  // namespace

Result<std::string> code_of(ChildEnd&& end, const CompilerOptions& options) {
  switch (end.how) {
    case ChildEnd::How::kStopped: return fail(ErrorKind::kOverloaded, "the server is shutting down");
    case ChildEnd::How::kOutOfTime: return out_of_time(options);
    case ChildEnd::How::kTooMuchOutput:
      return fail(ErrorKind::kTooLarge, fmt::format("the compiled module is larger than {} MiB", kCodeBytesMax >> 20));
    case ChildEnd::How::kSignalled: return crashed(end, options);
    case ChildEnd::How::kExited: break;
  }
  std::optional<CompileFrame> frame = parse_compile_frame(end.output);
  if (end.code != 0 || !frame) return crashed(end, options);
  if (frame->header.unconfined != 0)
    log::warning("the compiler process ran without a system call filter: the kernel offers none");
  if (frame->header.error_kind == 0) {
    end.output.erase(0, sizeof(CompileFrameHeader));
    return std::move(end.output);
  }
  Error error = to_error(static_cast<sg_error_kind>(frame->header.error_kind), frame->payload);
  if (error.kind == ErrorKind::kInternal && speaks_of_memory(error.cause)) return out_of_memory(options, error.cause);
  return fail(std::move(error));
}

Result<std::string> compile_in_child(const CompilerOptions& options, std::string_view wasm,
                                     const platform::Descriptor& stop) {
  ChildCommand command;
  command.program = options.program;
  command.arguments = to_words(
      {options.address_space_bytes, seconds_of(options), options.stack_bytes, options.memory_bytes_max, ::getpid()});
  command.arguments.insert(command.arguments.begin(), options.command);
  // Few threads, and few heaps for them: on a machine with many cores both would use up the address space.
  command.environment = {"RAYON_NUM_THREADS=4", "MALLOC_ARENA_MAX=2"};
  command.time = options.time;
  command.output_bytes_max = kCodeBytesMax + sizeof(CompileFrameHeader);
  Result<ChildEnd> end = run_child(command, wasm, stop);
  if (!end) return fail(std::move(end.error()));
  return code_of(std::move(*end), options);
}

}  // namespace sandgate::sandbox
