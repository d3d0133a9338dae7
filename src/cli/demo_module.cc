// SPDX-License-Identifier: Apache-2.0
#include "cli/demo_module.h"

// The assembler's own way of including a file; the linker finds the symbols.
asm(R"(
  .section .rodata
  .global sandgate_demo_module_begin
  .global sandgate_demo_module_end
sandgate_demo_module_begin:
  .incbin ")" SANDGATE_DEMO_MODULE R"("
sandgate_demo_module_end:
  .byte 0
  .text
)");

extern "C" const char sandgate_demo_module_begin[];
extern "C" const char sandgate_demo_module_end[];

namespace sandgate::cli {

std::string_view demo_module() {
  return {sandgate_demo_module_begin, static_cast<std::size_t>(sandgate_demo_module_end - sandgate_demo_module_begin)};
}

}  // namespace sandgate::cli
