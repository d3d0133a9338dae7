// SPDX-License-Identifier: Apache-2.0
//
// Bytes both ways between two raw streams after an upgrade, with back-pressure: a piece is read, written, and only then
// the next is read. Either side may end its direction alone (half-close); then the other has kHalfClosedIdle between
// bytes. Lives in the frame that serves the exchange. Loop thread only.
#pragma once

#include "base/cancellation.h"
#include "base/loop.h"
#include "base/task.h"
#include "exchange/exchange.h"

namespace sandgate::gateway {

class Tunnel {
 public:
  // Silence in both directions. Applications that are quiet for longer send pings (RFC 6455 section 5.5.2).
  static constexpr Milliseconds kIdle{600'000};
  // Silence after one side ended: enough for a closing handshake over a slow line.
  static constexpr Milliseconds kHalfClosedIdle{10'000};

  // Both streams outlive the tunnel.
  Tunnel(Exchange& exchange, RawStream& client, RawStream& upstream);

  // Returns when both directions have ended, an end broke, the tunnel was idle, or the exchange was cancelled; both
  // streams are closed then.
  Task<void> run();

 private:
  static Detached carry_upward(Tunnel& tunnel);
  Task<void> carry(RawStream& from, RawStream& to);
  void rearm() { idle_.arm(half_closed_ ? kHalfClosedIdle : kIdle); }
  void stop();
  static void stop_tunnel(void* tunnel) { static_cast<Tunnel*>(tunnel)->stop(); }

  Exchange& exchange_;
  RawStream& client_;
  RawStream& upstream_;
  Timer idle_;
  Event upward_done_;
  Event stopped_;
  bool stopping_ = false;
  bool half_closed_ = false;
};

}  // namespace sandgate::gateway
