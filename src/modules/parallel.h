// SPDX-License-Identifier: Apache-2.0
//
// Loading many modules at once: reading, copying, and compiling when there is no code.
#pragma once

#include <cstddef>
#include <functional>

namespace sandgate::modules {

// Calls `work(i)` for each i below `count`, on the calling thread and a few others, and returns when all are done.
void run_parallel(std::size_t count, const std::function<void(std::size_t)>& work);

}  // namespace sandgate::modules
