// SPDX-License-Identifier: Apache-2.0
//
// One request and its response: everything the request path passes around. Made by a connection (or a test, or another
// route), handed down by reference on one thread, ended when its handler returns. It knows no connection: body source
// and response sink are injected.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/arena.h"
#include "base/cancellation.h"
#include "base/loop.h"
#include "base/result.h"
#include "exchange/body_source.h"
#include "exchange/response_sink.h"
#include "http/message.h"

namespace sandgate {

namespace telemetry {
class RouteCounts;
}

// Both ends of the transport, as text without port brackets games: "127.0.0.1", "::1", or "unix". The port is separate.
struct Peer {
  std::string_view address;
  std::uint16_t port = 0;
  bool loopback = false;
};

// A raw connection after take_over(): bytes in, bytes out.
class RawStream {
 public:
  virtual ~RawStream() = default;
  // The next bytes, valid until the next read; empty at end of stream.
  virtual Task<Result<std::string_view>> read() = 0;
  virtual Task<Status> write(std::string_view bytes) = 0;
  // No more writes; the peer sees the end.
  virtual void shutdown_write() = 0;
  // Ends pending reads and writes with kDisconnected.
  virtual void close() = 0;
};

// What one module did in an exchange. Lives in the arena.
struct ExchangeStep {
  std::string_view module;
  std::string_view point;    // static: "OnRequest"
  std::string_view outcome;  // static: "continue", "reject", "trap"
  Nanoseconds took{0};
  const ExchangeStep* next = nullptr;
};

// How long the last upstream tried took; nothing for what was not reached.
struct UpstreamTimes {
  std::optional<Nanoseconds> connect;     // to have a connection, which is quick when one was kept
  std::optional<Nanoseconds> first_byte;  // from there to the head of its answer
};

// What happened to the exchange, for the access log and metrics. Written along the way; text lives in the arena or is
// static.
struct ExchangeRecord {
  std::string_view upstream;            // authority of the last one tried
  std::string_view error;               // short reason when the gateway itself answered with an error
  std::uint64_t response_bytes = 0;     // body bytes handed to the sink
  std::uint64_t request_bytes = 0;      // body bytes read
  int status = 0;                       // as sent; 0 when nothing was sent
  bool keeps_steps = false;             // whether somebody will read `steps`
  bool keeps_times = false;             // whether somebody will read `upstream_times`
  const ExchangeStep* steps = nullptr;  // of the modules, in order
  UpstreamTimes upstream_times;

  void append(ExchangeStep& step) {
    (last_step != nullptr ? last_step->next : steps) = &step;
    last_step = &step;
  }
  ExchangeStep* last_step = nullptr;
};

// What a route captured from the path: its name in the route and the text as it stands in the path.
struct RouteParameter {
  std::string_view name;
  std::string_view value;
};

// The route that was taken. Text lives as long as the exchange.
struct RouteTaken {
  std::string_view name;  // empty: no table of routes was asked
  std::span<const RouteParameter> parameters;
  // Where the path goes on below the route: what "*rest" captured, else the whole path without its first slash.
  std::string_view rest;
  // Where the route counts; outlives the exchange. Null: nowhere.
  telemetry::RouteCounts* counts = nullptr;
};

class Exchange {
 public:
  Exchange(Loop& loop, Arena& arena) : loop_(loop), arena_(arena), request(arena) {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  Loop& loop() const { return loop_; }
  Arena& arena() const { return arena_; }

  // The source and the sink in force; a filter swaps in its own and restores what it found. Never null while a handler
  // runs.
  BodySource& body() const { return *body_; }
  void set_body(BodySource& body) { body_ = &body; }
  ResponseSink& sink() const { return *sink_; }
  void set_sink(ResponseSink& sink) { sink_ = &sink; }

  // Answers an upgrade: sends `head` (a 101) and gives the raw stream, whose owner is the exchange; the sink is
  // committed then. Only before start(). kUnsupported when the transport cannot.
  Task<Result<RawStream*>> take_over(const http::ResponseHead& head) {
    if (upgrade_ == nullptr) co_return fail(ErrorKind::kUnsupported, "this connection cannot be upgraded");
    Result<RawStream*> stream = co_await upgrade_->take_over(head);
    co_return stream;
  }
  class Upgrade {
   public:
    virtual ~Upgrade() = default;
    virtual Task<Result<RawStream*>> take_over(const http::ResponseHead& head) = 0;
  };
  void set_upgrade(Upgrade* upgrade) { upgrade_ = upgrade; }

 private:
  Loop& loop_;
  Arena& arena_;
  BodySource* body_ = nullptr;
  ResponseSink* sink_ = nullptr;
  Upgrade* upgrade_ = nullptr;

 public:
  http::RequestHead request;  // path normalised; filters may edit it
  Cancellation cancellation;
  Peer peer;  // of the transport
  Peer local;
  std::string_view client;  // address after trusted proxies
  std::string_view target;  // as received, for the log
  RouteTaken route;
  std::string_view id;     // x-request-id: 1 to 128 visible ASCII bytes
  Nanoseconds started{0};  // loop().precise_now() at the end of the head
  std::int64_t received_unix_ms = 0;
  ExchangeRecord record;
};

}  // namespace sandgate
