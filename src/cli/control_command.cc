// SPDX-License-Identifier: Apache-2.0
#include "cli/control_command.h"

#include <fmt/core.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <optional>

#include "cli/commands.h"
#include "cli/reply_json.h"

namespace sandgate::cli {
namespace {

namespace json = boost::json;

constexpr std::string_view kApi = "/admin/v1";

std::string_view view(const json::string& text) { return {text.data(), text.size()}; }

json::value parse(const std::string& body) { return parse_reply(body).value_or(nullptr); }

const json::array* list(const json::value& value, json::string_view name) {
  const json::object* object = value.if_object();
  const json::value* found = object != nullptr ? object->if_contains(name) : nullptr;
  return found != nullptr ? found->if_array() : nullptr;
}

// Nothing when the gateway could not be asked; then the reason was printed.
std::optional<AdminClient::Reply> ask(const ControlOptions& options, std::string_view method, const std::string& path,
                                      std::string_view body = {}) {
  Result<AdminClient> client = AdminClient::create(options.server);
  Result<AdminClient::Reply> reply =
      client ? client->send({.method = method, .target = std::string(kApi) + path, .config = {}, .body = body})
             : Result<AdminClient::Reply>(fail(client.error()));
  if (reply) return *std::move(reply);
  fmt::print(stderr, "sandgate: {}\n", reply.error().detail);
  if (!reply.error().cause.empty()) fmt::print(stderr, "  cause: {}\n", reply.error().cause);
  return std::nullopt;
}

int refused(const AdminClient::Reply& reply) {
  std::string detail = member(parse(reply.body), "detail");
  fmt::print(stderr, "sandgate: the gateway answered {}: {}\n", reply.status, detail.empty() ? reply.body : detail);
  if (reply.status == 404 && detail.find("route") != std::string::npos)
    fmt::print(stderr,
               "  is this the admin address? [server] admin = {{ listen = ... }} in the file says where it is\n");
  return kExitFailed;
}

void print_server(const json::value& server) {
  std::string state = "up";
  if (member(server, "healthy") == "false") state = "unhealthy";
  if (member(server, "ejected") == "true") state = "ejected";
  if (member(server, "draining") == "true") state = "draining";
  fmt::print("  {:<32} {:<10} {:>6} {:>8} {:>10} {:>9}\n", member(server, "server"), state, member(server, "weight"),
             member(server, "active"), member(server, "requests"), member(server, "failures"));
}

void print_upstream(const json::value& upstream) {
  fmt::print("{} ({} waiting)\n", member(upstream, "name"), member(upstream, "waiting"));
  fmt::print("  {:<32} {:<10} {:>6} {:>8} {:>10} {:>9}\n", "SERVER", "STATE", "WEIGHT", "ACTIVE", "REQUESTS",
             "FAILURES");
  const json::array* servers = list(upstream, "servers");
  if (servers == nullptr) return;
  for (const json::value& server : *servers) print_server(server);
}

int change_server(const ControlOptions& options, const std::string& body) {
  std::optional<AdminClient::Reply> reply =
      ask(options, "PATCH", "/upstreams/" + options.upstream + "/servers/" + options.authority, body);
  if (!reply) return kExitFailed;
  if (reply->status != 200) return refused(*reply);
  if (options.json) {
    fmt::print("{}", reply->body);
  } else {
    print_upstream(parse(reply->body));
  }
  return kExitOk;
}

}  // namespace

int show_config(const ControlOptions& options) {
  std::optional<AdminClient::Reply> reply = ask(options, "GET", "/config");
  if (!reply) return kExitFailed;
  if (reply->status != 200) return refused(*reply);
  fmt::print("{}", reply->body);
  return kExitOk;
}

int reload_config(const ControlOptions& options) {
  std::optional<AdminClient::Reply> reply = ask(options, "POST", "/config/reload");
  if (!reply) return kExitFailed;
  if (reply->status != 200 && reply->status != 422) return refused(*reply);
  json::value report = parse(reply->body);
  if (options.json) {
    fmt::print("{}", reply->body);
  } else if (reply->status == 200) {
    fmt::print("generation {} serves\n", member(report, "generation"));
    if (std::string restart = member(report, "needs_restart"); !restart.empty())
      fmt::print("with a restart only: {}\n", restart);
  } else if (const json::array* mistakes = list(report, "mistakes")) {
    for (const json::value& mistake : *mistakes) fmt::print(stderr, "{}\n", view(mistake.as_string()));
    fmt::print(stderr, "nothing changed\n");
  }
  return reply->status == 200 ? kExitOk : kExitFailed;
}

int list_upstreams(const ControlOptions& options) {
  std::optional<AdminClient::Reply> reply = ask(options, "GET", "/upstreams");
  if (!reply) return kExitFailed;
  if (reply->status != 200) return refused(*reply);
  json::value report = parse(reply->body);
  const json::array* upstreams = list(report, "upstreams");
  if (options.json || upstreams == nullptr) {
    fmt::print("{}", reply->body);
    return kExitOk;
  }
  for (const json::value& upstream : *upstreams) print_upstream(upstream);
  return kExitOk;
}

int drain_server(const ControlOptions& options) { return change_server(options, R"({"draining":true})"); }
int undrain_server(const ControlOptions& options) { return change_server(options, R"({"draining":false})"); }
int weigh_server(const ControlOptions& options) {
  return change_server(options, fmt::format(R"({{"weight":{}}})", options.weight));
}

int log_level(const ControlOptions& options) {
  std::optional<AdminClient::Reply> reply =
      options.level.empty() ? ask(options, "GET", "/log-level")
                            : ask(options, "PUT", "/log-level", fmt::format(R"({{"level":"{}"}})", options.level));
  if (!reply) return kExitFailed;
  if (reply->status != 200) return refused(*reply);
  fmt::print("{}\n", options.json ? reply->body : member(parse(reply->body), "level"));
  return kExitOk;
}

}  // namespace sandgate::cli
