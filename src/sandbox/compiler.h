// SPDX-License-Identifier: Apache-2.0
//
// Turns uploaded bytes into a loaded module without harm to the server: Cranelift runs in a child process of the same
// binary with limits on address space and CPU, a low priority and no network, and returns the code through a pipe.
// Results are kept in the code cache. Jobs run on a few threads of their own.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/loop.h"
#include "base/result.h"
#include "base/task.h"
#include "sandbox/module.h"

namespace sandgate::sandbox {

struct CompilerOptions {
  // Program and first arguments that end in compiler_child_main; by default {"/proc/self/exe", "compile-module"}.
  std::string program = "/proc/self/exe";
  std::string command = "compile-module";
  std::string cache_directory;  // empty: no cache
  std::uint64_t address_space_bytes = std::uint64_t{4} << 30;
  Milliseconds time{120'000};                      // wall and CPU; a module that needs more is refused
  std::uint64_t stack_bytes = kStackBytesDefault;  // of the serving engine, so that the code fits it
  std::uint64_t memory_bytes_max = kMemoryPagesDefault * kWasmPageBytes;
};

class Compiler {
 public:
  // Jobs that may wait. More than a person deploys by hand; kOverloaded beyond.
  static constexpr std::size_t kQueuedMax = 16;
  static constexpr unsigned kThreads = 2;

  static Result<std::unique_ptr<Compiler>> create(const CompilerOptions& options, std::shared_ptr<Engine> engine);
  virtual ~Compiler() = default;  // ends children and threads

  // Compiles (or finds in the cache) and loads with `grants`. `loop` is the caller's; the Task resumes there. `wasm`
  // must stay alive until then. Errors: kInvalid (no module, not supported, no ABI) and kDenied (an import that is not
  // granted), with a detail for the person who deploys, kTooLarge (compiling took too much memory or time),
  // kOverloaded, kInternal.
  virtual Task<Result<std::shared_ptr<const Module>>> compile(std::string_view wasm, std::string_view sha256_hex,
                                                              Grants grants, Loop& loop) = 0;
  // The same on the calling thread, past the queue: for the start of a server. Blocking; any number of threads.
  virtual Result<std::shared_ptr<const Module>> compile_now(std::string_view wasm, std::string_view sha256_hex,
                                                            const Grants& grants) = 0;
};

// main() of the child: limits itself, reads the module from stdin, writes the framed result to stdout. Returns the exit
// code.
int compiler_child_main(int argc, char** argv);

}  // namespace sandgate::sandbox
