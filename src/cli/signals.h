// SPDX-License-Identifier: Apache-2.0
//
// Signals as values: blocked in every thread, waited for by the main one.
#pragma once

#include "base/loop.h"

namespace sandgate::cli {

enum class Signal : unsigned char { kNone, kReload, kDrain, kStop, kWake };

// Before any thread is made: blocks SIGTERM, SIGINT, SIGHUP and SIGUSR1, ignores SIGPIPE.
void block_signals();
// Who waits, or waits next, gets kWake. Any thread.
void wake();
// SIGTERM is kDrain, SIGINT kStop, SIGHUP kReload, SIGUSR1, which anybody may send, kWake; kNone after `timeout`.
Signal wait_for_signal(Milliseconds timeout);

}  // namespace sandgate::cli
