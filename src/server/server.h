// SPDX-License-Identifier: Apache-2.0
//
// A running gateway: everything that `sandgate serve` starts, from the settings to the open port, and its end. Made and
// ended on one thread, which must have the signals blocked that it wants to wait for. Two servers in one process are
// fine (tests, the demo).
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "config/manifest.h"
#include "config/settings.h"
#include "net/address.h"
#include "net/inherited_sockets.h"
#include "server/control.h"

namespace sandgate::server {

// What a process brings along beside its configuration.
struct Belongings {
  net::InheritedSockets inherited;    // from a service manager; each must be a listener of the configuration
  std::function<void()> handed_over;  // a successor serves: begin_drain() is due. Called once, on another thread
};

class Server {
 public:
  // Builds everything and opens the port, which answers from then on. Errors are for the person at the command line:
  // kInvalid names the flag, kDenied, kNotFound, kInternal.
  // `manifest` is what is served; null: settings.worker_urls. `load` is called for each reload, on any thread but a
  // loop's.
  // With settings.handover, and when a server waits there, this one accepts on the sockets of that one, which then
  // drains. An error, kDenied when that one goes on itself, means that it serves as before.
  static Result<std::unique_ptr<Server>> start(const config::Settings& settings,
                                               std::shared_ptr<const config::Manifest> manifest = nullptr,
                                               LoadConfiguration load = nullptr, Belongings belongings = {});
  // Ends at once what still runs.
  virtual ~Server() = default;

  // Where it listens, at least one; a port 0 has become a real one.
  virtual std::span<const net::Address> addresses() const = 0;
  const net::Address& address() const { return addresses().front(); }
  // Serves another manifest from now on; requests that run finish on the one before. Blocking. False when something is
  // wrong: then nothing changed, and `out` has it.
  virtual bool serve_manifest(std::shared_ptr<const config::Manifest> manifest, config::Diagnostics& out) = 0;
  // Reads the configuration again and serves it, unless something is wrong with it; says so in the log. Blocking.
  virtual admin::ReloadReport reload() = 0;
  // Lines for the start-up log: threads, engine, upstreams, who may use /wasm.
  virtual std::string description() const = 0;

  // /readyz says 503, no new connections; busy ones end after their response, idle ones after a last request or a
  // second without one. Sockets that a successor has are only let go.
  virtual void begin_drain() = 0;
  // Whether every connection has ended.
  virtual bool drained() const = 0;
};

}  // namespace sandgate::server
