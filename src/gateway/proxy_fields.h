// SPDX-License-Identifier: Apache-2.0
//
// Which fields cross the gateway when it forwards a message, in both directions. Hop-by-hop fields stay behind (RFC
// 9110 section 7.6.1), framing is written by whoever sends, Via gets an element (section 7.6.3). One pass by field id;
// text is views and the arena's.
#pragma once

#include "exchange/exchange.h"
#include "http/message.h"

namespace sandgate::gateway {

enum class Upgrading : bool { kNo, kWebSocket };

// Whether the request is a WebSocket handshake that can be passed on: HTTP/1.1, GET, no body, Connection and Upgrade
// say so.
Upgrading asks_to_upgrade(const Exchange& exchange);

// Fills `head` with what goes upstream. exchange.request stays as it is. Fields that Connection names were removed
// before (forwarding_fields.h).
void make_upstream_request(const Exchange& exchange, Upgrading upgrading, http::RequestHead& head);

// How often the request has passed a gateway of this name already, as Via tells. A handful is a chain of gateways, more
// is a gateway that is its own upstream.
inline constexpr int kPassesMax = 8;
int passes_so_far(const http::Fields& fields);

// Turns an upstream's final head into what the client gets: x-request-id is the exchange's.
void make_client_response(const Exchange& exchange, http::ResponseHead& head);
// The same for a 101 (Switching Protocols) to websocket: Upgrade stays.
void make_upgrade_response(const Exchange& exchange, http::ResponseHead& head);

}  // namespace sandgate::gateway
