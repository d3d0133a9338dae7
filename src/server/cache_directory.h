// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace sandgate::server {

// Where compiled code is kept when no flag says so: $XDG_CACHE_HOME/sandgate, else $HOME/.cache/sandgate. Empty when
// neither is set: no cache then.
std::string default_cache_directory();

}  // namespace sandgate::server
