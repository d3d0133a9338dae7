// SPDX-License-Identifier: Apache-2.0
#include "server/cache_directory.h"

#include <cstdlib>

namespace sandgate::server {

std::string default_cache_directory() {
  // Read before any thread is made.
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && cache[0] == '/') return std::string(cache) + "/sandgate/code";
  const char* home = std::getenv("HOME");
  if (home != nullptr && home[0] == '/') return std::string(home) + "/.cache/sandgate/code";
  return {};
}

}  // namespace sandgate::server
