// SPDX-License-Identifier: Apache-2.0
//
// Signals as values: blocked in every thread, waited for by the main one.
#pragma once

#include "base/loop.h"

namespace sandgate::cli {

enum class Signal : unsigned char { kNone, kReload, kDrain, kStop };

// Before any thread is made: blocks SIGTERM, SIGINT and SIGHUP, ignores SIGPIPE.
void block_signals();
// SIGTERM is kDrain, SIGINT kStop, SIGHUP kReload; kNone after `timeout`.
Signal wait_for_signal(Milliseconds timeout);

}  // namespace sandgate::cli
