// SPDX-License-Identifier: Apache-2.0
//
// Who may use what only the operator should: the module API (deploying code is running code) and the metrics on the
// main port. Decisions are functions of the exchange as it was received, before the proxy adds forwarding fields.
//
// Loopback rule: the peer and the local address are loopback, Host names loopback, the request speaks HTTP/1.1, and no
// field tells of a browser's page or of a proxy between. A web page cannot send such a request (Origin, Sec-Fetch-Site;
// a rebound name shows in Host), nor can one that a reverse proxy on this machine passed on, unless that proxy hides
// itself: then a token is needed. nginx, as it comes, speaks HTTP/1.0 and adds nothing, hence the version.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "exchange/exchange.h"
#include "exchange/problem.h"

namespace sandgate::admin {

enum class AdminRule : unsigned char {
  kOff,       // nobody
  kLoopback,  // plain clients on this machine
  kToken,     // whoever shows the token, from anywhere
  kSocket,    // whoever may connect to the Unix socket: its permissions decide
};

struct AdminAccess {
  AdminRule rule = AdminRule::kOff;
  std::string token;  // for kToken, not empty
};

// What the configuration says about the module API.
struct AdminSettings {
  std::string token;                    // --admin-token; empty: none
  bool listens_beyond_loopback = true;  // any listener of the main port is not a loopback address
  bool loopback_wanted = false;         // --wasm-admin=loopback
};
// A token wins; without one a server that only listens on loopback, or was told to, serves loopback clients; any other
// serves nobody.
AdminAccess choose_admin_access(const AdminSettings& settings);

// Where a listener of the module API's own is.
enum class AdminListener : unsigned char { kUnixSocket, kLoopback, kBeyond };
// A token wins here, too. kInvalid: beyond loopback without one.
Result<AdminAccess> choose_listener_access(AdminListener listener, const std::string& token);

// Nothing when this exchange may use the module API, else the answer: 401 with WWW-Authenticate, or 403. Texts are
// static.
std::optional<Problem> refuse_admin(const Exchange& exchange, const AdminAccess& access);

// The same for the metrics on the main port: the loopback rule.
std::optional<Problem> refuse_metrics(const Exchange& exchange);

// Whether `authority` (host and optional port) is "localhost", 127.0.0.0/8 or [::1].
bool is_loopback_authority(std::string_view authority);

}  // namespace sandgate::admin
