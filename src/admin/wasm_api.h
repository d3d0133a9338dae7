// SPDX-License-Identifier: Apache-2.0
//
// The module API: POST /wasm deploys files, PUT /wasm/{name} deploys or replaces with the bytes in the body, GET /wasm
// lists with metrics, GET /wasm/{uuid or name} shows one, DELETE /wasm/{uuid or name} removes. Shared by all loops.
// Who may call it is decided before (guard.h).
//
// POST answers 200 when every module was deployed, else 400 with the reason of each; modules are taken in order and
// those that succeeded stay. PUT answers 201 for a new module and 200 for one that was replaced or is what was sent
// already, with the module as GET shows it. Other answers are problem bodies: 415 (another media type), 413 (body over
// its bound), 400 (no JSON, a query that is wrong, a module that is refused, neither UUID nor name), 422 (JSON of
// another shape), 404, 405 with Allow, 503 (too many at a time, or a new server process is taking over).
#pragma once

#include <cstddef>
#include <string_view>

#include "exchange/handler.h"
#include "modules/deployer.h"
#include "modules/module_store.h"

namespace sandgate::admin {

class WasmApi final : public Handler {
 public:
  // A descriptor has some hundred bytes; this holds all modules of a full store.
  static constexpr std::size_t kBodyBytesMax = std::size_t{1} << 20;
  // The paths: this one, and this one with "/{uuid or name}".
  static constexpr std::string_view kPath = "/wasm";

  // Both outlive the handler.
  WasmApi(modules::ModuleStore& store, modules::Deployer& deployer) : store_(store), deployer_(deployer) {}

  Task<Status> serve(Exchange& exchange) const override;

 private:
  Task<Status> deploy(Exchange& exchange) const;
  Task<Status> list(Exchange& exchange) const;
  // `id` is the last part of the exchange's path.
  Task<Status> show(Exchange& exchange, std::string_view id) const;
  Task<Status> put(Exchange& exchange, std::string_view name) const;
  Task<Status> remove(Exchange& exchange, std::string_view id) const;

  modules::ModuleStore& store_;
  modules::Deployer& deployer_;
};

// Stands in for WasmApi when the server was started without --enable-wasm: 404 that says so.
class WasmOff final : public Handler {
 public:
  Task<Status> serve(Exchange& exchange) const override;
};

// Stands in for WasmApi on the main port when it has a listener of its own: 404 that says so.
class WasmElsewhere final : public Handler {
 public:
  Task<Status> serve(Exchange& exchange) const override;
};

}  // namespace sandgate::admin
