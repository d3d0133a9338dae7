// SPDX-License-Identifier: Apache-2.0
//
// Shell completion, made from the command line's own description so that the two cannot differ.
#pragma once

namespace CLI {
class App;
}

namespace sandgate::cli {

// Prints a script for bash: `source <(sandgate completion)`. Returns the exit code.
int print_completion(const CLI::App& app);

}  // namespace sandgate::cli
