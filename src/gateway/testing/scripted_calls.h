// SPDX-License-Identifier: Apache-2.0
//
// Modules whose hooks follow a script: what each answers and what each was shown.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/middleware_calls.h"
#include "modules/module_store.h"

namespace sandgate::gateway::testing {

using Action = abi::router_middleware::Action;
using HeaderEdit = abi::router_middleware::HeaderEdit;

// An action with texts of its own. Kept alive by the script.
struct ScriptedAction {
  Action::Kind kind = Action::Kind::kContinue;
  std::optional<int> status;
  std::vector<HeaderEdit> set;
  std::vector<HeaderEdit> add;
  std::vector<std::string_view> remove;
  std::optional<std::string> body;
  std::optional<sandbox::GuestFailure> failure;
  Event* hold = nullptr;  // waits for it; cancelled when the exchange is by then

  static ScriptedAction reject(int status) { return {.kind = Action::Kind::kReject, .status = status}; }
  static ScriptedAction fails(sandbox::FailureKind kind) {
    return {.failure = sandbox::GuestFailure{kind, "secret detail"}};
  }
};

// What a hook was shown.
struct SeenCall {
  std::string module;
  std::string hook;
  std::string head;  // "METHOD path?query" or the status, then "name: value" lines
  std::string body;
  std::string request_id;
  std::uint64_t now_epoch_ms = 0;

  bool has_field(std::string_view line) const {
    return head.find("\n" + std::string(line) + "\n") != std::string::npos;
  }
};

class ScriptedCalls final : public MiddlewareCalls {
 public:
  Task<Outcome> on_request(const HookCall& hook, const abi::router_middleware::RequestRecord& record) const override {
    SeenCall call{.module = hook.module.name,
                  .hook = "request",
                  .body = std::string(record.body),
                  .request_id = std::string(record.request_id)};
    call.now_epoch_ms = record.now_epoch_ms;
    call.head = std::string(record.head.method) + " " + std::string(record.head.path) + "?" +
                std::string(record.head.query) + "\n";
    append_fields(call.head, record.head.fields);
    seen.push_back(std::move(call));
    Outcome outcome = co_await answer(hook.module.name + ".request", hook.exchange);
    co_return outcome;
  }
  Task<Outcome> on_response(const HookCall& hook, const abi::router_middleware::ResponseRecord& record) const override {
    std::string kind = hook.point == modules::AttachPoint::kOnError ? "error" : "response";
    SeenCall call{.module = hook.module.name, .hook = kind, .body = std::string(record.body)};
    call.head = std::to_string(record.head.status) + "\n";
    append_fields(call.head, record.head.fields);
    seen.push_back(std::move(call));
    Outcome outcome = co_await answer(hook.module.name + "." + kind, hook.exchange);
    co_return outcome;
  }

  // By "MODULE.request", "MODULE.response" or "MODULE.error"; without one a hook continues.
  std::map<std::string, ScriptedAction, std::less<>> script;
  mutable std::vector<SeenCall> seen;

  std::string order() const {
    std::string names;
    for (const SeenCall& call : seen) names += call.module + "." + call.hook + " ";
    return names;
  }

 private:
  static void append_fields(std::string& out, const http::Fields& fields) {
    for (const http::Field& field : fields) out += std::string(field.name) + ": " + std::string(field.value) + "\n";
  }

  Task<Outcome> answer(std::string key, Exchange& exchange) const {
    auto found = script.find(key);
    if (found == script.end()) co_return Action();
    const ScriptedAction& scripted = found->second;
    if (scripted.hold != nullptr) co_await scripted.hold->wait();
    if (exchange.cancellation.cancelled())
      co_return std::unexpected(sandbox::GuestFailure{sandbox::FailureKind::kCancelled, ""});
    if (scripted.failure) co_return std::unexpected(*scripted.failure);
    Action action{.kind = scripted.kind,
                  .status = scripted.status,
                  .set = scripted.set,
                  .add = scripted.add,
                  .remove = scripted.remove};
    if (scripted.body) action.body = *scripted.body;
    co_return action;
  }
};

// Deploys a module without code.
inline std::shared_ptr<const modules::DeployedModule> deploy(modules::ModuleStore& store, std::string name,
                                                             std::vector<modules::AttachPoint> points,
                                                             modules::ModuleOptions options = {}) {
  auto module = std::make_shared<modules::DeployedModule>();
  module->uuid = "uuid-" + name;
  module->name = name;
  module->sha256_hex = "sha-" + name;
  module->attach_points = std::move(points);
  module->options = std::move(options);
  Status added = store.add(module);
  SANDGATE_CHECK(added.has_value());
  return module;
}

}  // namespace sandgate::gateway::testing
