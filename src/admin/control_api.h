// SPDX-License-Identifier: Apache-2.0
//
// The API of operators, in JSON, below /admin/v1. Who may call it is decided before (guard.h). Shared by all loops.
//
//   GET   config                                what serves now
//   POST  config/reload                         loads the file again: 200, or 422 with every mistake
//   GET   upstreams, upstreams/NAME             servers and how they are
//   PATCH upstreams/NAME/servers/HOST:PORT      {"draining": true, "weight": 3}
//   GET   log-level, PUT log-level              {"level": "debug"}
//   *     modules, modules/NAME                 the module API (wasm_api.h)
//
// Other answers are problem bodies: 400 (no JSON, a value out of range), 404, 405 with Allow, 413, 422 (JSON of another
// shape), 503 (too many reloads at a time).
#pragma once

#include <atomic>
#include <string_view>

#include "admin/control.h"
#include "exchange/handler.h"
#include "modules/file_thread.h"

namespace sandgate::admin {

class ControlApi final : public Handler {
 public:
  static constexpr std::string_view kPath = "/admin/v1";
  // Larger than any of its requests.
  static constexpr std::size_t kBodyBytesMax = 4096;
  // Reloads that wait for each other; one is enough, two people may press the button.
  static constexpr unsigned kReloadsMax = 4;

  // Both outlive the handler; `modules` is the module API, or what stands in for it.
  ControlApi(Control& control, const Handler& modules) : control_(control), modules_(modules) {}

  Task<Status> serve(Exchange& exchange) const override;

 private:
  Task<Status> serve_config(Exchange& exchange) const;
  Task<Status> serve_reload(Exchange& exchange) const;
  Task<Status> serve_upstreams(Exchange& exchange, std::string_view name) const;
  Task<Status> serve_server(Exchange& exchange, std::string_view upstream, std::string_view authority) const;
  Task<Status> serve_log_level(Exchange& exchange) const;

  Control& control_;
  const Handler& modules_;
  mutable std::atomic<unsigned> reloads_{0};
  mutable modules::FileThread thread_;  // the last member: its jobs use the others
};

}  // namespace sandgate::admin
