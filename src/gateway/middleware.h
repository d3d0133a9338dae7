// SPDX-License-Identifier: Apache-2.0
//
// Runs the deployed modules around a handler: OnRequest hooks before it, OnResponse hooks on its answer, OnError hooks
// on the gateway's own answer when no upstream gave one (response_hooks.h). Shared by all loops.
//
// OnRequest modules run in deployment order, each sees what the ones before it changed. When one of them wants bodies
// the whole body is read first (413 beyond the limit). 400 when the request is no text that the modules' world can
// hold. Continue: the next. Reject: that status at once, with a small problem body; nothing else runs, response hooks
// included. Modify: fields (set, add, remove), then body; the status is ignored. A module that fails is skipped or
// answers 503, as it was deployed; one status for every way to fail. Without a free place: 503 with Retry-After, or
// skipped.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "exchange/handler.h"
#include "gateway/middleware_calls.h"
#include "gateway/middleware_settings.h"
#include "modules/module_store.h"

namespace sandgate::gateway {

class Middleware {
 public:
  // All outlive this.
  Middleware(const MiddlewareCalls& calls, const modules::ModuleStore& store, const MiddlewareSettings& settings,
             const Handler& next)
      : calls_(calls), store_(store), settings_(settings), next_(next) {}

  // The modules of `snapshot` around the next handler. Keeps the snapshot until it ends, so running calls finish on
  // what they began with.
  Task<Status> serve(Exchange& exchange, std::shared_ptr<const modules::Snapshot> snapshot) const;

 private:
  using Action = abi::router_middleware::Action;

  Task<std::optional<Status>> run_request_hooks(Exchange& exchange, const modules::Snapshot& snapshot,
                                                ExchangeInstances& instances, std::string_view* body) const;
  Task<Status> run_inner(Exchange& exchange, const modules::Snapshot& snapshot, ExchangeInstances& instances) const;
  Task<Status> run_next(Exchange& exchange, const modules::Snapshot& snapshot, ExchangeInstances& instances) const;
  Task<Status> with_error_hooks(Exchange& exchange, const modules::Snapshot& snapshot,
                                ExchangeInstances& instances) const;
  Task<Status> run_error_hooks(Exchange& exchange, const modules::Snapshot& snapshot, ExchangeInstances& instances,
                               Error error) const;
  Task<Status> with_body(Exchange& exchange, const modules::Snapshot& snapshot, ExchangeInstances& instances) const;

  const MiddlewareCalls& calls_;
  const modules::ModuleStore& store_;
  MiddlewareSettings settings_;
  const Handler& next_;
};

}  // namespace sandgate::gateway
