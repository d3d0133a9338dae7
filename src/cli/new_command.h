// SPDX-License-Identifier: Apache-2.0
//
// `sandgate new middleware NAME`: a C++ project that builds with one command.
#pragma once

#include <string>

namespace sandgate::cli {

struct NewOptions {
  std::string name;  // also the folder's
};

// Writes the folder NAME: middleware.cc, build.sh, README.md, and the headers of the SDK. Never overwrites. Returns the
// exit code.
int new_middleware(const NewOptions& options);

}  // namespace sandgate::cli
