// SPDX-License-Identifier: Apache-2.0
#include "server/settings.h"

#include <algorithm>
#include <thread>

namespace sandgate::server {

unsigned loop_count(const Settings& settings) {
  return settings.threads != 0 ? settings.threads : std::clamp(std::thread::hardware_concurrency(), 1U, kThreadsMax);
}

unsigned calls_max(const Settings& settings) {
  constexpr unsigned kDefault = 4;
  return settings.wasm_calls_max != 0 ? settings.wasm_calls_max : std::max(kDefault, loop_count(settings));
}

}  // namespace sandgate::server
