// SPDX-License-Identifier: Apache-2.0
//
// The module API: POST /wasm deploys, GET /wasm lists with metrics, DELETE /wasm/{uuid} removes. Shared by all loops.
// Who may call it is decided before (guard.h).
//
// POST answers 200 when every module was deployed, else 400 with the reason of each; modules are taken in order and
// those that succeeded stay. Other answers are problem bodies: 415 (no JSON media type), 413 (body over kBodyBytesMax),
// 400 (no JSON, no UUID), 422 (JSON of another shape), 404, 405 with Allow.
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
  // The paths: this one, and this one with "/{uuid}".
  static constexpr std::string_view kPath = "/wasm";

  // Both outlive the handler.
  WasmApi(modules::ModuleStore& store, modules::Deployer& deployer) : store_(store), deployer_(deployer) {}

  Task<Status> serve(Exchange& exchange) const override;

 private:
  Task<Status> deploy(Exchange& exchange) const;
  Task<Status> list(Exchange& exchange) const;
  Task<Status> remove(Exchange& exchange, std::string_view uuid) const;

  modules::ModuleStore& store_;
  modules::Deployer& deployer_;
};

// Stands in for WasmApi when the server was started without --enable-wasm: 404 that says so.
class WasmOff final : public Handler {
 public:
  Task<Status> serve(Exchange& exchange) const override;
};

}  // namespace sandgate::admin
