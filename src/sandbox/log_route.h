// SPDX-License-Identifier: Apache-2.0
//
// What the engine hands back with a line of guest output: the log, and what the instance was made with. Lives as long
// as the instance.
#pragma once

#include "sandbox/engine.h"

namespace sandgate::sandbox {

struct LogRoute {
  GuestLog* log;
  void* user;
};

}  // namespace sandgate::sandbox
