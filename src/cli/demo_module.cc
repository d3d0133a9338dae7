// SPDX-License-Identifier: Apache-2.0
#include "cli/demo_module.h"

// The assembler's own way of including a file; the linker finds the symbols.
#define SANDGATE_INCLUDE(name)                          \
  asm(".section .rodata\n"                              \
      ".global sandgate_demo_" #name                    \
      "_begin\n"                                        \
      ".global sandgate_demo_" #name                    \
      "_end\n"                                          \
      "sandgate_demo_" #name                            \
      "_begin:\n"                                       \
      ".incbin \"" SANDGATE_DEMO_FOLDER "/demo_" #name  \
      ".wasm\"\n"                                       \
      "sandgate_demo_" #name                            \
      "_end:\n"                                         \
      ".byte 0\n"                                       \
      ".text\n");                                       \
  extern "C" const char sandgate_demo_##name##_begin[]; \
  extern "C" const char sandgate_demo_##name##_end[]

SANDGATE_INCLUDE(auth);
SANDGATE_INCLUDE(logging);
SANDGATE_INCLUDE(ratelimit);

namespace sandgate::cli {
namespace {

std::string_view between(const char* begin, const char* end) { return {begin, static_cast<std::size_t>(end - begin)}; }

}  // namespace

std::array<DemoModule, 3> demo_modules() {
  return {{{"auth", between(sandgate_demo_auth_begin, sandgate_demo_auth_end)},
           {"logging", between(sandgate_demo_logging_begin, sandgate_demo_logging_end)},
           {"ratelimit", between(sandgate_demo_ratelimit_begin, sandgate_demo_ratelimit_end)}}};
}

}  // namespace sandgate::cli
