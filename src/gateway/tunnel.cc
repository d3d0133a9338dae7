// SPDX-License-Identifier: Apache-2.0
#include "gateway/tunnel.h"

namespace sandgate::gateway {

Tunnel::Tunnel(Exchange& exchange, RawStream& client, RawStream& upstream)
    : exchange_(exchange), client_(client), upstream_(upstream), idle_(exchange.loop(), &Tunnel::stop_tunnel, this) {}

void Tunnel::stop() {
  if (stopping_) return;
  stopping_ = true;
  client_.close();
  upstream_.close();
  // Last: run() may go on at once and destroy the tunnel.
  stopped_.set();
}

// Ends with the direction: end of stream is passed on, anything else ends the tunnel.
Task<void> Tunnel::carry(RawStream& from, RawStream& to) {
  while (!stopping_) {
    Result<std::string_view> piece = co_await from.read();
    if (!piece) {
      stop();
      break;
    }
    if (piece->empty()) {
      half_closed_ = true;
      rearm();
      to.shutdown_write();
      break;
    }
    rearm();
    Status written = co_await to.write(*piece);
    if (!written) {
      stop();
      break;
    }
  }
}

Detached Tunnel::carry_upward(Tunnel& tunnel) {
  co_await tunnel.carry(tunnel.client_, tunnel.upstream_);
  tunnel.upward_done_.set();
}

Task<void> Tunnel::run() {
  CancelHook hook(exchange_.cancellation, &Tunnel::stop_tunnel, this);
  if (exchange_.cancellation.cancelled()) stop();
  rearm();
  carry_upward(*this);
  co_await carry(upstream_, client_);
  co_await upward_done_.wait();
  if (stopping_) {
    // Somebody is still inside stop().
    co_await stopped_.wait();
  } else {
    stop();
  }
}

}  // namespace sandgate::gateway
