// SPDX-License-Identifier: Apache-2.0
#include "admin/control_api.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <expected>
#include <memory>
#include <string>
#include <utility>

#include "admin/answers.h"
#include "admin/control_request.h"
#include "admin/received_body.h"
#include "exchange/problem.h"
#include "platform/log.h"

namespace sandgate::admin {
namespace {

namespace json = boost::json;

constexpr std::string_view kJson = "application/json";

json::string text(std::string_view value) { return json::string(value.data(), value.size()); }

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
  std::expected<ServerChange, ControlRefusal> change = parse_server_change(*body);
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
    std::expected<log::Level, ControlRefusal> level = parse_log_level(*body);
    if (!level) {
      Status done = co_await respond_problem(
          exchange, {.status = level.error().status, .error = "invalid", .detail = level.error().detail});
      co_return done;
    }
    log::set_level(*level);
  }
  Status done = co_await answer_json(exchange, 200, json::object{{"level", text(log_level_name(log::level()))}});
  co_return done;
}

Task<Status> ControlApi::serve(Exchange& exchange) const {
  std::string_view path = exchange.request.path.substr(std::min(kPath.size(), exchange.request.path.size()));
  std::string_view method = exchange.request.method;
  ControlTarget target = parse_control_target(path);
  using Resource = ControlTarget::Resource;
  switch (target.resource) {
    case Resource::kConfig: return reads(method) ? serve_config(exchange) : answer_method(exchange, "GET, HEAD");
    case Resource::kReload: return method == "POST" ? serve_reload(exchange) : answer_method(exchange, "POST");
    case Resource::kLogLevel:
      return reads(method) || method == "PUT" ? serve_log_level(exchange) : answer_method(exchange, "GET, HEAD, PUT");
    case Resource::kModules:
      exchange.request.path = exchange.arena().join("/wasm", target.rest);
      return modules_.serve(exchange);
    case Resource::kUpstreams:
    case Resource::kUpstream:
      return reads(method) ? serve_upstreams(exchange, target.upstream) : answer_method(exchange, "GET, HEAD");
    case Resource::kServer:
      return method == "PATCH" ? serve_server(exchange, target.upstream, target.server)
                               : answer_method(exchange, "PATCH");
    case Resource::kNone: break;
  }
  return answer_not_found(exchange, "There is config, upstreams, modules and log-level below /admin/v1");
}

}  // namespace sandgate::admin
