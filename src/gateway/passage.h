// SPDX-License-Identifier: Apache-2.0
//
// One request on its way through the proxy, and what is said on one connection. Lives in the frame of Proxy::serve(),
// on its loop.
#pragma once

#include <optional>
#include <string_view>

#include "base/cancellation.h"
#include "base/loop.h"
#include "exchange/exchange.h"
#include "gateway/proxy_fields.h"
#include "gateway/upload.h"
#include "gateway/upstream_server.h"
#include "http/message.h"
#include "net/connection_pool.h"

namespace sandgate::gateway {

// How long a part of an exchange takes, where somebody will read it.
class Stopwatch {
 public:
  explicit Stopwatch(const Exchange& exchange)
      : exchange_(exchange), began_(exchange.record.keeps_times ? exchange.loop().precise_now() : Nanoseconds(0)) {}
  std::optional<Nanoseconds> read() const {
    if (!exchange_.record.keeps_times) return std::nullopt;
    return exchange_.loop().precise_now() - began_;
  }

 private:
  const Exchange& exchange_;
  const Nanoseconds began_;
};

// Ends a passage that takes too long in all, or whose exchange is cancelled.
struct WholeTime {
  WholeTime(Exchange& the_exchange, Milliseconds total);
  static void exchange_cancelled(void* owner);
  static void took_too_long(void* owner);

  Exchange& exchange;
  Cancellation over;
  CancelHook exchange_over;
  Timer timer;
};

struct Passage {
  // `total` bounds it all; 0: nothing does.
  Passage(Exchange& the_exchange, Milliseconds total);
  Passage(const Passage&) = delete;
  Passage& operator=(const Passage&) = delete;

  bool has_body() const { return framing.kind != http::BodyFraming::Kind::kNone; }
  // Whether sending it all again does no harm.
  bool repeatable() const { return !has_body() && head.is_idempotent(); }
  std::unexpected<Error> cancelled() const;

  // How the server that it is at did.
  void answered() const { server->answered(era, exchange.loop()); }
  void succeeded() const { server->health().succeeded(era, exchange.loop()); }
  void failed(ServerHealth::Failure failure) const;

  Exchange& exchange;
  // With a bound for the whole: a cancellation of its own, so that a timeout is answered and not the exchange's end.
  std::optional<WholeTime> whole_time;
  Cancellation& over;  // its, or else the exchange's
  http::RequestHead head;
  http::BodyFraming framing;
  Upload upload;
  Upgrading upgrading;
  UpstreamServer* server = nullptr;  // where it is, or was last
  ServerHealth::Era era = 0;         // of the server when it went there
};

// How talking to one connection went. Beyond kOver the request may go out again; `status` is the answer if it does not.
struct Talk {
  enum class Next : unsigned char { kOver, kFreshConnection, kOtherServer, kNoRoom };
  Next next = Next::kOver;
  Status status;
};

// What `error` of a connection means to the client, who did nothing wrong.
Error upstream_error(const Error& error, std::string_view timed_out, std::string_view broken);

// Sends the request on a leased connection, which the caller owns, and passes the answer on. What is left of the upload
// afterwards is the caller's to stop.
Task<Talk> talk(Passage& passage, const net::Lease& lease);

}  // namespace sandgate::gateway
