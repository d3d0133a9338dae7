// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "cli/command_line.h"
#include "sandbox/compiler.h"

int main(int argc, char** argv) {
  // The child that compiles modules: it limits itself before anything else, so it comes before the command line.
  if (argc > 1 && std::strcmp(argv[1], "compile-module") == 0)
    return sandgate::sandbox::compiler_child_main(argc, argv);
  return sandgate::cli::run(argc, argv);
}
