// SPDX-License-Identifier: Apache-2.0
#include "admin/wasm_api.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "admin/deploy_request.h"
#include "admin/wasm_report.h"
#include "base/ascii.h"
#include "exchange/problem.h"
#include "platform/log.h"

namespace sandgate::admin {
namespace {

constexpr std::string_view kJson = "application/json";

// application/json or any type with the suffix +json (RFC 6839), parameters aside.
bool is_json(std::string_view content_type) {
  std::string_view type = trimmed(content_type.substr(0, content_type.find(';')));
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

Task<Result<std::string>> read_body(Exchange& exchange) {
  std::string body;
  if (exchange.body().length().value_or(0) > WasmApi::kBodyBytesMax) co_return fail(ErrorKind::kTooLarge, "");
  while (true) {
    Result<std::string_view> piece = co_await exchange.body().read();
    if (!piece) co_return fail(piece.error());
    if (piece->empty()) co_return body;
    if (body.size() + piece->size() > WasmApi::kBodyBytesMax) co_return fail(ErrorKind::kTooLarge, "");
    body += *piece;
  }
}

// `failed` is what the body source said; a client is slow here, not an upstream.
Task<Status> answer_unread_body(Exchange& exchange, Error failed) {
  Problem problem{.status = status_of(failed.kind), .error = error_kind_name(failed.kind), .detail = failed.detail};
  if (failed.kind == ErrorKind::kTooLarge) problem.detail = "The body of a deployment is at most 1 MiB";
  if (failed.kind == ErrorKind::kTimedOut) problem.status = 408;
  Status done = co_await respond_problem(exchange, problem);
  co_return done;
}

Task<Status> answer_problem(Exchange& exchange, Problem problem) {
  Status done = co_await respond_problem(exchange, problem);
  co_return done;
}

// `allow` is static.
Task<Status> answer_method(Exchange& exchange, std::string_view allow) {
  return answer_problem(exchange, {.status = 405,
                                   .error = "method_not_allowed",
                                   .detail = "This method is not served here; see Allow",
                                   .allow = allow});
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

}  // namespace

Task<Status> WasmApi::serve(Exchange& exchange) const {
  std::string_view method = exchange.request.method;
  std::string_view path = exchange.request.path;
  if (path == kPath) {
    if (method == "POST") return deploy(exchange);
    if (method == "GET" || method == "HEAD") return list(exchange);
    return answer_method(exchange, "GET, HEAD, POST");
  }
  std::string_view uuid = path.substr(std::min(path.size(), kPath.size() + 1));
  if (uuid.empty() || uuid.find('/') != std::string_view::npos) {
    return answer_problem(exchange,
                          {.status = 404, .error = "not_found", .detail = "The module API has /wasm and /wasm/{uuid}"});
  }
  if (method == "DELETE") return remove(exchange, uuid);
  return answer_method(exchange, "DELETE");
}

Task<Status> WasmApi::deploy(Exchange& exchange) const {
  if (!is_json(exchange.request.fields.find(http::FieldId::kContentType).value_or(""))) {
    Problem problem{
        .status = 415, .error = "unsupported_media_type", .detail = "Expected Content-Type: application/json"};
    Status done = co_await respond_problem(exchange, problem);
    co_return done;
  }
  Result<std::string> body = co_await read_body(exchange);
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

// `text` is a part of the exchange's path.
Task<Status> WasmApi::remove(Exchange& exchange, std::string_view text) const {
  std::string uuid = parse_uuid(text);
  if (uuid.empty()) {
    Problem problem{.status = 400, .error = "invalid", .detail = "The last part of the path is not a UUID"};
    Status done = co_await respond_problem(exchange, problem);
    co_return done;
  }
  Status removed = store_.remove(uuid);
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

}  // namespace sandgate::admin
