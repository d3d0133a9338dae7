// SPDX-License-Identifier: Apache-2.0
//
// The compiler process alone, for tests: sandbox_compile_child compile-module ARGUMENTS. Other first words make it
// misbehave as a broken one would.

#include <unistd.h>

#include <cstdio>
#include <string_view>

#include "sandbox/compiler.h"
#include "sandbox/testing/misdeeds.h"

int main(int argc, char** argv) {
  std::string_view command = argc > 1 ? argv[1] : "";
  if (command == "compile-module") return sandgate::sandbox::compiler_child_main(argc, argv);
  int code = sandgate::sandbox::testing::misbehave(command);
  std::fflush(nullptr);
  // No exit handlers: a sanitizer's would make a process to look for leaks, which is what confinement forbids.
  ::_exit(code);
}
