// SPDX-License-Identifier: Apache-2.0
//
// The command line of `sandgate`: parses the words and calls the command. Values are checked here for form and range,
// with errors that say what to write instead.
#pragma once

namespace sandgate::cli {

// Returns the exit code.
int run(int argc, char** argv);

}  // namespace sandgate::cli
