// SPDX-License-Identifier: Apache-2.0
//
// The sink that runs OnResponse or OnError modules: collects the response of the handler behind it, lets each module
// see and change it, and passes the outcome on. Lives in the frame that serves the exchange, around the real sink. Loop
// thread only.
//
// Modules run in deployment order. Continue: the next. Reject: that status with a small problem body; nothing of the
// upstream's answer is left, the other modules do not run. Modify: fields (set, add, remove), status, body; a new
// body has its own length and no trailers. A module that fails is skipped or the answer is 503, as it was deployed.
// What is longer than the limit is not shown: that is a failure of every module that wants bodies, and when they are
// skipped the response streams on, edited by the others.
//
// text/event-stream, application/x-ndjson, and everything when no module wants bodies, are never collected: modules get
// the head with an empty body when it arrives, and the body then streams; a new body for it is ignored and logged. The
// body of an answer to HEAD, of 204 and of 304 is dropped. x-request-id is always the exchange's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exchange/exchange.h"
#include "gateway/middleware_calls.h"
#include "gateway/middleware_settings.h"
#include "gateway/module_call.h"
#include "modules/module_store.h"

namespace sandgate::gateway {

// What the hooks of one exchange work with. All outlive the hooks.
struct HookContext {
  Exchange& exchange;
  ResponseSink& inner;
  const MiddlewareCalls& calls;
  const modules::ModuleStore& store;
  const MiddlewareSettings& settings;
  ExchangeInstances& instances;
  modules::AttachPoint point;
};

class ResponseHooks final : public ResponseSink {
 public:
  using Modules = std::vector<std::shared_ptr<const modules::DeployedModule>>;

  // `modules` outlive the hooks.
  ResponseHooks(const HookContext& context, const Modules& modules);

  Task<Status> informational(const http::ResponseHead& head) override { return inner_.informational(head); }
  Task<Status> start(const http::ResponseHead& head, std::optional<std::uint64_t> length) override;
  Task<Status> write(std::string_view bytes) override;
  Task<Status> finish(const http::Fields* trailers) override;
  // While collecting nothing was sent, so another answer is still possible.
  void abort() override;
  bool committed() const override { return inner_.committed(); }

  // Whether modules answered in the place of a response that still streams: its writer was stopped with an error that
  // means nothing more.
  bool replaced_stream() const { return state_ == State::kReplaced; }

 private:
  enum class State : unsigned char { kIdle, kCollecting, kPassing, kReplaced, kAborted };
  // What the modules made of the response.
  enum class Verdict : unsigned char { kPass, kAnswerInstead, kCancelled };
  // kTooLarge: the head, and modules that want the body fail.
  enum class Shown : unsigned char { kWhole, kHeadOnly, kTooLarge };
  using Action = abi::router_middleware::Action;

  void keep(const http::ResponseHead& head, std::optional<std::uint64_t> length);
  bool bodyless() const;
  bool any_wants_body() const;
  Task<Verdict> run_modules(Shown shown);
  Task<Verdict> run_module(const modules::DeployedModule& module, Shown shown);
  Verdict fail_module(ModuleCall& call);
  Verdict apply(const Action& action, bool shows_body, const ModuleCall& call);
  Verdict answer_instead(int status, std::string_view error, std::string_view detail);
  Task<Status> start_stream(Shown shown);
  std::optional<std::uint64_t> length_to_send(const http::Fields* trailers) const;
  Task<Status> send_collected(const http::Fields* trailers);
  Task<Status> send_instead();
  Status cancelled() const;

  Exchange& exchange_;
  ResponseSink& inner_;
  const MiddlewareCalls& calls_;
  const modules::ModuleStore& store_;
  const MiddlewareSettings& settings_;
  ExchangeInstances& instances_;
  const modules::AttachPoint point_;
  const Modules& modules_;
  http::ResponseHead head_;
  std::optional<std::uint64_t> length_;  // as announced
  std::string collected_;
  std::string_view body_;  // of the response as it is now: collected, or a module's
  std::string instead_;    // problem body
  State state_ = State::kIdle;
  bool body_replaced_ = false;
};

}  // namespace sandgate::gateway
