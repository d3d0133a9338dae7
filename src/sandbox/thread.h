// SPDX-License-Identifier: Apache-2.0
//
// Threads of the sandbox: named, and with every signal blocked, so that signals of the process go to whoever waits for
// them and a broken pipe is an error code.
#pragma once

#include <functional>
#include <string>
#include <thread>

namespace sandgate::sandbox {

// `name` has at most 15 bytes (pthread_setname_np(3)).
std::thread start_thread(std::string name, std::function<void()> body);

}  // namespace sandgate::sandbox
