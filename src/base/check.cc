// SPDX-License-Identifier: Apache-2.0
#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace sandgate {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "sandgate: bug: check failed: %s (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace sandgate
