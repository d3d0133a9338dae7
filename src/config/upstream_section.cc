// SPDX-License-Identifier: Apache-2.0
#include "config/upstream_section.h"

#include <fmt/core.h>

#include <array>
#include <optional>
#include <utility>

#include "config/tls_section.h"
#include "gateway/worker_urls.h"
#include "http/field.h"

namespace sandgate::config {
namespace {

using gateway::Balance;
using gateway::HashKey;
using gateway::Scheme;
using gateway::ServerOptions;
using gateway::UpstreamOptions;

constexpr std::array<std::string_view, 4> kBalances = {"round_robin", "least_requests", "two_choices", "hash"};
// From a probe on the same machine to a model that thinks for a day.
constexpr Range<Milliseconds> kTimeout = {Milliseconds(1), Milliseconds(86'400'000)};
constexpr Range<Milliseconds> kTimeoutOrNone = {Milliseconds(0), kTimeout.most};
constexpr Range<Milliseconds> kInterval = {Milliseconds(100), Milliseconds(3'600'000)};
constexpr Range<unsigned> kInARow = {1, 1000};
constexpr Range<std::size_t> kMany = {0, 1'000'000};

std::optional<ServerOptions> parse_server(std::string_view text) {
  ServerOptions server;
  std::string plain(text);
  constexpr std::string_view kTls = "https://";
  if (plain.starts_with(kTls)) {
    server.scheme = Scheme::kHttps;
    std::string_view authority = std::string_view(plain).substr(kTls.size());
    std::size_t bracket = authority.find(']');
    bool has_port = authority.find(':', bracket == std::string_view::npos ? 0 : bracket) != std::string_view::npos;
    plain = fmt::format("http://{}{}", authority, has_port ? "" : ":443");
  }
  std::array<std::string, 1> one = {plain};
  Result<std::vector<ServerOptions>> urls = gateway::parse_worker_urls(one);
  if (!urls || urls->size() != 1) return std::nullopt;
  server.host = urls->front().host;
  server.port = urls->front().port;
  return server;
}

void read_server(TableReader& in, const Value& element, std::vector<ServerOptions>& servers) {
  Diagnostics& diagnostics = in.reading().diagnostics;
  std::string url;
  unsigned weight = 1;
  if (const std::string* text = element.as<std::string>()) {
    url = *text;
  } else if (const Table* table = element.as<Table>()) {
    TableReader reader(*table, element.line, "upstream.servers", {diagnostics, nullptr});
    reader.require("url", "\"http://10.0.0.1:8080\"");
    if (!reader.text("url", url)) return;
    reader.count("weight", weight, {1, ServerOptions::kWeightMax});
  }
  std::optional<ServerOptions> server = parse_server(url);
  if (!server) {
    diagnostics.add(element.line,
                    fmt::format("upstream.servers: {} is no server; write \"http://HOST:PORT\", \"https://HOST\" or "
                                "{{ url = \"http://HOST:PORT\", weight = 2 }}",
                                url.empty() ? std::string(element.kind()) : fmt::format("\"{}\"", url)));
    return;
  }
  server->weight = weight;
  servers.push_back(std::move(*server));
}

void read_servers(TableReader& in, std::vector<ServerOptions>& servers) {
  in.require("servers", "[\"http://127.0.0.1:30000\"]");
  const Value* value = in.any("servers", "list of URLs, or of { url = \"URL\", weight = 1 }");
  if (value == nullptr) return;
  if (value->as<std::string>() != nullptr) return read_server(in, *value, servers);
  const Array* array = value->as<Array>();
  if (array == nullptr || array->empty()) {
    in.refuse("servers", *value, "a list of at least one server, as [\"http://127.0.0.1:30000\"]");
    return;
  }
  for (const Value& element : *array) read_server(in, element, servers);
}

void read_hash(TableReader& in, UpstreamOptions& options) {
  const Value* value = in.any("hash", R"("client", "field:NAME" or "cookie:NAME")", "\"client\"");
  if (value == nullptr) return;
  if (options.balance != Balance::kConsistentHash) in.mistake("hash", "nothing is hashed without balance = \"hash\"");
  const std::string* text = value->as<std::string>();
  std::string_view key = text == nullptr ? std::string_view() : *text;
  std::string_view name = key.substr(std::min(key.size(), key.find(':') + 1));
  if (key == "client") {
    options.hash_key = {HashKey::From::kClientAddress, ""};
  } else if (key.starts_with("field:") && http::is_field_name(name)) {
    options.hash_key = {HashKey::From::kField, std::string(name)};
  } else if (key.starts_with("cookie:") && http::is_token(name)) {
    options.hash_key = {HashKey::From::kCookie, std::string(name)};
  } else {
    in.refuse("hash", *value, R"("client", "field:x-user" or "cookie:session")");
  }
}

void read_health(TableReader& in, UpstreamOptions& options) {
  in.table("health", [&options](TableReader& table) {
    gateway::HealthCheckOptions& health = options.health_check.emplace();
    table.text("path", health.path);
    table.text("host", health.host);
    table.duration("interval", health.interval, kInterval);
    table.duration("timeout", health.timeout, kTimeout);
    table.count("fails", health.fails, kInARow);
    table.count("passes", health.passes, kInARow);
    table.count("status_min", health.status_min, {100, 599});
    table.count("status_max", health.status_max, {100, 599});
  });
}

void read_ejection(TableReader& in, gateway::EjectionOptions& ejection) {
  in.table("ejection", [&ejection](TableReader& table) {
    table.count("failures", ejection.failures, {0, kInARow.most});
    table.duration("time", ejection.time, kInterval);
    table.duration("time_max", ejection.time_max, kInterval);
    table.count("percent_max", ejection.percent_max, {0, 100});
  });
}

void read_timeouts(TableReader& in, gateway::UpstreamTimeouts& timeouts) {
  in.table("timeouts", [&timeouts](TableReader& table) {
    table.duration("connect", timeouts.connect, kTimeout);
    table.duration("first_byte", timeouts.first_byte, kTimeout);
    table.duration("idle", timeouts.idle, kTimeout);
    table.duration("write", timeouts.write, kTimeout);
    table.duration("total", timeouts.total, kTimeoutOrNone);
  });
}

void read_retries(TableReader& in, gateway::RetryOptions& retries) {
  in.table("retries", [&retries](TableReader& table) {
    table.count("attempts", retries.attempts, {1, static_cast<unsigned>(UpstreamOptions::kServersMax)});
    table.count("budget_percent", retries.budget_percent, {0, 100});
    table.count("budget_per_second", retries.budget_per_s, {0, 1'000'000});
    table.duration("backoff", retries.backoff_base, kTimeoutOrNone);
    table.duration("backoff_max", retries.backoff_max, kTimeoutOrNone);
  });
}

void read_connections(TableReader& in, gateway::ConnectionOptions& connections) {
  in.table("connections", [&connections](TableReader& table) {
    table.count("max", connections.connections_max, kMany);
    table.count("idle_max", connections.idle_max, kMany);
    table.duration("idle", connections.idle, kTimeout);
    table.count("waiting_max", connections.waiting_max, kMany);
    table.duration("waiting", connections.waiting, kTimeout);
  });
}

}  // namespace

UpstreamOptions read_upstream(TableReader& in, const std::string& directory) {
  UpstreamOptions options;
  in.require("name", "\"workers\"");
  in.name("name", options.name);
  read_servers(in, options.servers);
  in.one_of("balance", options.balance, kBalances);
  read_hash(in, options);
  read_health(in, options);
  read_ejection(in, options.ejection);
  read_timeouts(in, options.timeouts);
  read_retries(in, options.retries);
  read_connections(in, options.connections);
  in.duration("slow_start", options.slow_start, kTimeoutOrNone);
  in.duration("resolve", options.resolve, kTimeoutOrNone);
  read_tls(in, directory, options.tls);
  if (options.servers.empty()) return options;
  if (Status checked = gateway::check_upstream_options(options); !checked) in.mistake(checked.error().detail);
  return options;
}

}  // namespace sandgate::config
