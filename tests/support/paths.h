// SPDX-License-Identifier: Apache-2.0
//
// Where a test finds what the build made. Absolute paths, valid for the whole run. The environment variables
// SANDGATE_SOURCE_DIR, SANDGATE_GUEST_DIR and SANDGATE_BINARY go first, for a build folder that was moved.
#pragma once

#include <string>
#include <string_view>

namespace sandgate::test {

// The checkout: source_path("examples/auth") is that folder.
std::string source_path(std::string_view relative = "");

// The compiled guest of tests/guests/NAME.cc or NAME.wat; "example_auth" is examples/auth/middleware.cc.
std::string guest_path(std::string_view name);

// Its bytes. Ends the process with a message when the file is not there: the build makes guests before tests run.
std::string read_guest(std::string_view name);

// The `sandgate` executable of this build.
std::string binary_path();

}  // namespace sandgate::test
