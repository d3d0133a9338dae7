// SPDX-License-Identifier: Apache-2.0
//
// Makes one TCP or Unix connection to an address: what clients of other protocols than HTTP are built on. Loop thread.
#pragma once

#include "base/result.h"
#include "base/task.h"
#include "net/address.h"
#include "net/stream.h"

namespace sandgate::net {

// A connected stream. kTimedOut, kUpstream (nobody answers there), kOverloaded (no descriptor left); the cause has the
// address. While the Task waits the stream is in `pending`: who closes it ends the wait. Both references must live
// until the Task has ended.
Task<Result<StreamPtr>> connect(LoopThread& loop, const Address& address, Milliseconds timeout, StreamPtr& pending);

}  // namespace sandgate::net
