// SPDX-License-Identifier: Apache-2.0
#include "admin/control_api.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/system/error_code.hpp>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "admin/answers.h"
#include "admin/received_body.h"
#include "exchange/problem.h"
#include "platform/log.h"

namespace sandgate::admin {
namespace {

namespace json = boost::json;

constexpr std::string_view kJson = "application/json";
constexpr std::array<std::string_view, 5> kLevels = {"debug", "info", "warning", "error", "off"};

json::string text(std::string_view value) { return json::string(value.data(), value.size()); }
std::string_view view(const json::string& value) { return {value.data(), value.size()}; }

Task<Status> answer_json(Exchange& exchange, int status, json::value value) {
  std::string body = json::serialize(value) + "\n";
  Status done = co_await respond(exchange, status, kJson, body);
  co_return done;
}

Task<Status> answer_not_found(Exchange& exchange, std::string_view detail) {
  return answer_problem(exchange, {.status = 404, .error = "not_found", .detail = detail});
}

bool reads(std::string_view method) { return method == "GET" || method == "HEAD"; }

json::object server_json(const ServerReport& server) {
  return {{"server", text(server.authority)},  {"weight", server.weight},      {"draining", server.draining},
          {"healthy", server.healthy},         {"ejected", server.ejected},    {"active", server.active},
          {"connections", server.connections}, {"requests", server.requests},  {"failures", server.failures},
          {"retries", server.retries},         {"ejections", server.ejections}};
}

json::object upstream_json(const UpstreamReport& upstream) {
  json::array servers;
  for (const ServerReport& server : upstream.servers) servers.push_back(server_json(server));
  return {{"name", text(upstream.name)}, {"waiting", upstream.waiting}, {"servers", std::move(servers)}};
}

// A JSON object of a request; else the status and what is wrong.
struct Refusal {
  int status;
  std::string_view detail;
};
std::expected<json::object, Refusal> parse_object(const std::string& body) {
  boost::system::error_code failure;
  json::value root = json::parse(body, failure);
  if (failure) return std::unexpected(Refusal{400, "The body is no JSON"});
  if (!root.is_object()) return std::unexpected(Refusal{422, "The body is no JSON object"});
  return std::move(root.get_object());
}

struct ServerChange {
  std::optional<bool> draining;
  std::optional<unsigned> weight;
};

std::expected<ServerChange, Refusal> parse_change(const std::string& body) {
  constexpr Refusal kShape{422, "Write {\"draining\": true} or {\"weight\": 3}, or both"};
  std::expected<json::object, Refusal> object = parse_object(body);
  if (!object) return std::unexpected(object.error());
  ServerChange change;
  for (const auto& [name, value] : *object) {
    if (name == "draining" && value.is_bool()) {
      change.draining = value.get_bool();
    } else if (name == "weight" && value.is_int64() && value.get_int64() >= 0 && value.get_int64() <= 1'000'000) {
      change.weight = static_cast<unsigned>(value.get_int64());
    } else {
      return std::unexpected(kShape);
    }
  }
  if (!change.draining && !change.weight) return std::unexpected(kShape);
  return change;
}

std::expected<log::Level, Refusal> parse_level(const std::string& body) {
  std::expected<json::object, Refusal> object = parse_object(body);
  if (!object) return std::unexpected(object.error());
  const json::value* level = object->if_contains("level");
  const json::string* name = level == nullptr ? nullptr : level->if_string();
  auto found = name == nullptr ? kLevels.end() : std::ranges::find(kLevels, view(*name));
  if (found == kLevels.end())
    return std::unexpected(Refusal{422, "Write {\"level\": \"debug\"}, info, warning, error or off"});
  return static_cast<log::Level>(found - kLevels.begin());
}

}  // namespace

Task<Status> ControlApi::serve_config(Exchange& exchange) const {
  std::string body = control_.config_json() + "\n";
  Status done = co_await respond(exchange, 200, kJson, body);
  co_return done;
}

Task<Status> ControlApi::serve_reload(Exchange& exchange) const {
  if (reloads_.fetch_add(1, std::memory_order_relaxed) >= kReloadsMax) {
    reloads_.fetch_sub(1, std::memory_order_relaxed);
    Status refused = co_await respond_problem(
        exchange,
        {.status = 503, .error = "overloaded", .detail = "Reloads are under way; try again", .retry_after_s = 1});
    co_return refused;
  }
  auto report = std::make_shared<ReloadReport>();
  std::function<void()> reload = [report, &control = control_, &reloads = reloads_] {
    *report = control.reload();
    reloads.fetch_sub(1, std::memory_order_relaxed);
  };
  co_await thread_.run(std::move(reload), exchange.loop());
  json::array mistakes;
  for (const std::string& mistake : report->mistakes) mistakes.push_back(text(mistake));
  json::object body{{"reloaded", report->mistakes.empty()},
                    {"generation", report->generation},
                    {"needs_restart", text(report->needs_restart)},
                    {"mistakes", std::move(mistakes)}};
  Status done = co_await answer_json(exchange, report->mistakes.empty() ? 200 : 422, std::move(body));
  co_return done;
}

// All of them when `name` is empty.
Task<Status> ControlApi::serve_upstreams(Exchange& exchange, std::string_view name) const {
  json::array all;
  for (const UpstreamReport& upstream : control_.upstreams()) {
    if (!name.empty() && upstream.name == name) return answer_json(exchange, 200, upstream_json(upstream));
    all.push_back(upstream_json(upstream));
  }
  if (!name.empty()) return answer_not_found(exchange, "There is no upstream of this name");
  return answer_json(exchange, 200, json::object{{"upstreams", std::move(all)}});
}

Task<Status> ControlApi::serve_server(Exchange& exchange, std::string_view upstream, std::string_view authority) const {
  Result<std::string> body = co_await receive_body(exchange, kBodyBytesMax, "This request has at most 4096 bytes");
  if (!body) {
    Status done = co_await answer_unread_body(exchange, std::move(body.error()));
    co_return done;
  }
  std::expected<ServerChange, Refusal> change = parse_change(*body);
  if (!change) {
    Status done = co_await respond_problem(
        exchange, {.status = change.error().status, .error = "invalid", .detail = change.error().detail});
    co_return done;
  }
  Status changed = control_.change_server(upstream, authority, change->draining, change->weight);
  if (!changed) {
    Status done = co_await respond_error(exchange, changed.error());
    co_return done;
  }
  log::info("request {}: server {} of upstream {} changed{}{}", log::escaped(exchange.id), log::escaped(authority),
            log::escaped(upstream), change->draining ? (*change->draining ? ", draining" : ", not draining") : "",
            change->weight ? ", weight " + std::to_string(*change->weight) : "");
  Status done = co_await serve_upstreams(exchange, upstream);
  co_return done;
}

Task<Status> ControlApi::serve_log_level(Exchange& exchange) const {
  if (exchange.request.method == "PUT") {
    Result<std::string> body = co_await receive_body(exchange, kBodyBytesMax, "This request has at most 4096 bytes");
    if (!body) {
      Status done = co_await answer_unread_body(exchange, std::move(body.error()));
      co_return done;
    }
    std::expected<log::Level, Refusal> level = parse_level(*body);
    if (!level) {
      Status done = co_await respond_problem(
          exchange, {.status = level.error().status, .error = "invalid", .detail = level.error().detail});
      co_return done;
    }
    log::set_level(*level);
  }
  Status done = co_await answer_json(exchange, 200,
                                     json::object{{"level", text(kLevels[static_cast<std::size_t>(log::level())])}});
  co_return done;
}

Task<Status> ControlApi::serve(Exchange& exchange) const {
  std::string_view path = exchange.request.path.substr(std::min(kPath.size(), exchange.request.path.size()));
  std::string_view method = exchange.request.method;
  if (path == "/config") return reads(method) ? serve_config(exchange) : answer_method(exchange, "GET, HEAD");
  if (path == "/config/reload") return method == "POST" ? serve_reload(exchange) : answer_method(exchange, "POST");
  if (path == "/log-level") {
    return reads(method) || method == "PUT" ? serve_log_level(exchange) : answer_method(exchange, "GET, HEAD, PUT");
  }
  constexpr std::string_view kModules = "/modules";
  if (path == kModules || path.starts_with("/modules/")) {
    exchange.request.path = exchange.arena().join("/wasm", path.substr(kModules.size()));
    return modules_.serve(exchange);
  }
  constexpr std::string_view kUpstreams = "/upstreams";
  if (path == kUpstreams) return reads(method) ? serve_upstreams(exchange, "") : answer_method(exchange, "GET, HEAD");
  if (path.starts_with("/upstreams/")) {
    std::string_view name = path.substr(kUpstreams.size() + 1);
    constexpr std::string_view kServers = "/servers/";
    std::size_t servers = name.find(kServers);
    if (servers == std::string_view::npos)
      return reads(method) ? serve_upstreams(exchange, name) : answer_method(exchange, "GET, HEAD");
    if (method != "PATCH") return answer_method(exchange, "PATCH");
    return serve_server(exchange, name.substr(0, servers), name.substr(servers + kServers.size()));
  }
  return answer_not_found(exchange, "There is config, upstreams, modules and log-level below /admin/v1");
}

}  // namespace sandgate::admin
