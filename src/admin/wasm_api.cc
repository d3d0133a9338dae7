// SPDX-License-Identifier: Apache-2.0
#include "admin/wasm_api.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "admin/answers.h"
#include "admin/deploy_request.h"
#include "admin/put_request.h"
#include "admin/received_body.h"
#include "admin/wasm_report.h"
#include "base/ascii.h"
#include "exchange/problem.h"
#include "platform/log.h"

namespace sandgate::admin {
namespace {

constexpr std::string_view kJson = "application/json";

constexpr std::string_view kModuleMethods = "GET, HEAD, PUT, DELETE";
constexpr std::string_view kRequestTooLarge = "The body of a deployment is at most 1 MiB";
constexpr std::string_view kModuleTooLarge = "A module is at most 64 MiB";
static_assert(modules::kModuleBytesMax == std::uint64_t{64} << 20, "the text above names it");

std::string_view media_type(const Exchange& exchange) {
  std::string_view content_type = exchange.request.fields.find(http::FieldId::kContentType).value_or("");
  return trimmed(content_type.substr(0, content_type.find(';')));
}

// What carries bytes. Nothing is fine, too.
bool is_module_type(std::string_view type) {
  return type.empty() || equals_ignoring_case(type, "application/wasm") ||
         equals_ignoring_case(type, "application/octet-stream");
}

// application/json or any type with the suffix +json (RFC 6839), parameters aside.
bool is_json(std::string_view type) {
  constexpr std::string_view kPrefix = "application/";
  constexpr std::string_view kSuffix = "+json";
  if (equals_ignoring_case(type, kJson)) return true;
  return type.size() > kPrefix.size() + kSuffix.size() &&
         equals_ignoring_case(type.substr(0, kPrefix.size()), kPrefix) &&
         equals_ignoring_case(type.substr(type.size() - kSuffix.size()), kSuffix);
}

// The UUID in lower case; empty when the text is none.
std::string parse_uuid(std::string_view text) {
  constexpr std::string_view kShape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  if (text.size() != kShape.size()) return {};
  std::string uuid;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = ascii_lower(text[i]);
    bool fits = kShape[i] == '-' ? c == '-' : ascii_digit(c) || (c >= 'a' && c <= 'f');
    if (!fits) return {};
    uuid += c;
  }
  return uuid;
}

void log_outcome(const Exchange& exchange, const DeployOutcome& outcome) {
  std::string id = log::escaped(exchange.id);
  std::string name = log::escaped(outcome.descriptor.name, modules::kNameBytesMax);
  std::string path = log::escaped(outcome.descriptor.file_path);
  if (outcome.uuid) {
    log::info("request {}: module \"{}\" from {} deployed as {}", id, name, path, *outcome.uuid);
    return;
  }
  const Error& error = outcome.uuid.error();
  std::string_view separator = error.cause.empty() ? "" : "; cause: ";
  log::warning("request {}: module \"{}\" from {} not deployed: {}{}{}", id, name, path, log::escaped(error.detail),
               separator, log::escaped(error.cause));
}

const modules::DeployedModule* find(const modules::Snapshot& snapshot, std::string_view id) {
  std::string uuid = parse_uuid(id);
  return modules::find_by_uuid_or_name(snapshot, uuid.empty() ? id : uuid);
}

// The caller keeps the module.
Task<Status> answer_module(Exchange& exchange, int status, const modules::DeployedModule& module) {
  std::string report = module_report(module);
  http::Fields extra(exchange.arena());
  extra.add("cache-control", "no-store");
  Status done = co_await respond(exchange, status, kJson, report, &extra);
  co_return done;
}

// What can be told before the body is read. Texts are static.
std::optional<Problem> refuse_put(const Exchange& exchange, std::string_view name) {
  if (!is_module_type(media_type(exchange))) {
    return Problem{.status = 415,
                   .error = "unsupported_media_type",
                   .detail = "The body is the module itself: send it with Content-Type: application/wasm, or without"};
  }
  if (!parse_uuid(name).empty()) {
    return Problem{.status = 400, .error = "invalid", .detail = "PUT takes the name of a module, not its UUID"};
  }
  return std::nullopt;
}

// Settings that a PUT does not name are those of the module that it replaces: they are secrets that its sender need not
// know.
void keep_config(const modules::Snapshot& snapshot, modules::Descriptor& descriptor) {
  if (descriptor.options.config) return;
  const modules::DeployedModule* old = modules::find_by_name(snapshot, descriptor.name);
  if (old != nullptr) descriptor.options.config = old->options.config;
}

void log_put(const Exchange& exchange, std::string_view name, const Result<modules::PutResult>& result) {
  constexpr std::array<std::string_view, 3> kKinds = {"deployed", "replaced", "unchanged"};
  std::string id = log::escaped(exchange.id);
  std::string module = log::escaped(name, modules::kNameBytesMax);
  if (result) {
    log::info("request {}: module \"{}\" {} as {}", id, module, kKinds[static_cast<std::size_t>(result->kind)],
              result->module->uuid);
    return;
  }
  log::warning("request {}: module \"{}\" not deployed: {}; cause: {}", id, module, log::escaped(result.error().detail),
               log::escaped(result.error().cause));
}

}  // namespace

Task<Status> WasmApi::serve(Exchange& exchange) const {
  std::string_view method = exchange.request.method;
  std::string_view path = exchange.request.path;
  if (method == "POST" || method == "PUT" || method == "DELETE") {
    if (Status open = deployer_.accepts_changes(); !open) return answer_error(exchange, std::move(open.error()));
  }
  if (path == kPath) {
    if (method == "POST") return deploy(exchange);
    if (method == "GET" || method == "HEAD") return list(exchange);
    return answer_method(exchange, "GET, HEAD, POST");
  }
  std::string_view id = path.substr(std::min(path.size(), kPath.size() + 1));
  if (id.empty() || id.find('/') != std::string_view::npos) {
    return answer_problem(
        exchange, {.status = 404, .error = "not_found", .detail = "The module API has /wasm and /wasm/{uuid or name}"});
  }
  if (method == "GET" || method == "HEAD") return show(exchange, id);
  if (method == "PUT") return put(exchange, id);
  if (method == "DELETE") return remove(exchange, id);
  return answer_method(exchange, kModuleMethods);
}

Task<Status> WasmApi::deploy(Exchange& exchange) const {
  if (!is_json(media_type(exchange))) {
    Problem problem{
        .status = 415, .error = "unsupported_media_type", .detail = "Expected Content-Type: application/json"};
    Status done = co_await respond_problem(exchange, problem);
    co_return done;
  }
  Result<std::string> body = co_await receive_body(exchange, kBodyBytesMax, kRequestTooLarge);
  if (!body) {
    Status done = co_await answer_unread_body(exchange, body.error());
    co_return done;
  }
  auto descriptors = parse_deploy_request(*body);
  if (!descriptors) {
    const BadRequest& bad = descriptors.error();
    Problem problem{.status = bad.status, .error = "invalid", .detail = bad.detail};
    Status done = co_await respond_problem(exchange, problem);
    co_return done;
  }

  std::vector<DeployOutcome> outcomes;
  bool all_deployed = true;
  for (modules::Descriptor& descriptor : *descriptors) {
    Result<std::string> uuid = co_await deployer_.deploy(descriptor, exchange.loop());
    all_deployed = all_deployed && uuid.has_value();
    outcomes.push_back({std::move(descriptor), std::move(uuid)});
    log_outcome(exchange, outcomes.back());
  }
  std::string report = deploy_report(outcomes);
  Status done = co_await respond(exchange, all_deployed ? 200 : 400, kJson, report);
  co_return done;
}

Task<Status> WasmApi::list(Exchange& exchange) const {
  std::shared_ptr<const modules::Snapshot> snapshot = store_.snapshot();
  std::string report = module_report(*snapshot, store_.totals());
  http::Fields extra(exchange.arena());
  extra.add("cache-control", "no-store");
  Status done = co_await respond(exchange, 200, kJson, report, &extra);
  co_return done;
}

Task<Status> WasmApi::show(Exchange& exchange, std::string_view id) const {
  std::shared_ptr<const modules::Snapshot> snapshot = store_.snapshot();
  const modules::DeployedModule* module = find(*snapshot, id);
  if (module == nullptr) {
    Status done = co_await answer_problem(
        exchange, {.status = 404, .error = "not_found", .detail = "No module has this UUID or name"});
    co_return done;
  }
  Status done = co_await answer_module(exchange, 200, *module);
  co_return done;
}

// `name` is a part of the exchange's path.
Task<Status> WasmApi::put(Exchange& exchange, std::string_view name) const {
  std::optional<Problem> refusal = refuse_put(exchange, name);
  if (refusal) {
    Status done = co_await respond_problem(exchange, *refusal);
    co_return done;
  }
  Result<modules::Descriptor> descriptor = parse_put_request(name, exchange.request.query, exchange.request.fields);
  if (!descriptor) {
    Status done = co_await respond_error(exchange, descriptor.error());
    co_return done;
  }
  Result<modules::Deployer::Place> place = deployer_.enter();
  if (!place) {
    Status done = co_await respond_error(exchange, place.error());
    co_return done;
  }
  Result<std::string> wasm = co_await receive_body(exchange, modules::kModuleBytesMax, kModuleTooLarge);
  if (!wasm) {
    Status done = co_await answer_unread_body(exchange, wasm.error());
    co_return done;
  }
  keep_config(*store_.snapshot(), *descriptor);
  Result<modules::PutResult> result =
      co_await deployer_.put(std::move(*place), *std::move(descriptor), *std::move(wasm), exchange.loop());
  log_put(exchange, name, result);
  if (!result) {
    Status done = co_await respond_error(exchange, result.error());
    co_return done;
  }
  Status done =
      co_await answer_module(exchange, result->kind == modules::PutKind::kCreated ? 201 : 200, *result->module);
  co_return done;
}

// `id` is a part of the exchange's path.
Task<Status> WasmApi::remove(Exchange& exchange, std::string_view id) const {
  std::string uuid = parse_uuid(id);
  if (uuid.empty()) {
    std::shared_ptr<const modules::Snapshot> snapshot = store_.snapshot();
    const modules::DeployedModule* named = modules::find_by_name(*snapshot, id);
    if (named == nullptr) {
      Problem problem{.status = 400,
                      .error = "invalid",
                      .detail = "The last part of the path is not a UUID, and no module has it as its name"};
      Status done = co_await respond_problem(exchange, problem);
      co_return done;
    }
    uuid = named->uuid;
  }
  Status removed = co_await deployer_.remove(uuid, exchange.loop());
  if (!removed) {
    Status done = co_await respond_error(exchange, removed.error());
    co_return done;
  }
  log::info("request {}: module {} removed", log::escaped(exchange.id), uuid);
  Status done = co_await respond(exchange, 200, "text/plain; charset=utf-8", "Module removed successfully");
  co_return done;
}

Task<Status> WasmOff::serve(Exchange& exchange) const {
  return answer_problem(exchange, {.status = 404,
                                   .error = "not_found",
                                   .detail = "WebAssembly modules are off: start the server with --enable-wasm"});
}

Task<Status> WasmElsewhere::serve(Exchange& exchange) const {
  return answer_problem(
      exchange,
      {.status = 404, .error = "not_found", .detail = "The module API is not on this port; see --admin-listen"});
}

}  // namespace sandgate::admin
