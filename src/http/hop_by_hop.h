// SPDX-License-Identifier: Apache-2.0
//
// Fields that concern one connection only and are never forwarded (RFC 9110 section 7.6.1).
#pragma once

#include "http/field.h"

namespace sandgate::http {

// Connection, Keep-Alive, Proxy-Connection, Proxy-Authenticate, Proxy-Authorization, TE, Trailer, Transfer-Encoding,
// Upgrade, HTTP2-Settings.
bool is_hop_by_hop(FieldId id);

// Removes them and everything that Connection names; but a sender cannot name away Host, Content-Length, Date,
// Forwarded, Via, X-Forwarded-*, X-Real-IP or X-Request-Id. To be called once, as soon as the head is parsed: a name
// must not reach fields that handlers add later.
void remove_hop_by_hop(Fields& fields);

// Fields whose value only the gateway decides; edits of guests to them are ignored and logged: hop-by-hop fields,
// Expect, Content-Length, proxy-*.
bool is_gateways_own(FieldId id, std::string_view name);

// Whether the message asks for an upgrade to "websocket" and nothing else (RFC 6455 section 4.2.1): Connection names
// upgrade, Upgrade is websocket.
bool asks_for_websocket(const Fields& fields);

}  // namespace sandgate::http
