// SPDX-License-Identifier: Apache-2.0
#include "server/upstream_metrics.h"

#include <cstdint>
#include <string_view>

namespace sandgate::server {
namespace {

using telemetry::MetricType;

struct ServerFamily {
  std::string_view name;
  MetricType type;
  std::string_view help;
  std::uint64_t (*read)(const admin::ServerReport& server);
};

bool gets_requests(const admin::ServerReport& server) { return server.healthy && !server.ejected && !server.draining; }

constexpr ServerFamily kFamilies[] = {
    {"sandgate_upstream_server_up", MetricType::kGauge,
     "1 while the server gets requests: well, not ejected, not draining.",
     [](const admin::ServerReport& server) { return std::uint64_t{gets_requests(server)}; }},
    {"sandgate_upstream_server_active_requests", MetricType::kGauge, "Requests that are at the server now.",
     [](const admin::ServerReport& server) { return server.active; }},
    {"sandgate_upstream_server_connections", MetricType::kGauge, "Open connections to the server, kept ones included.",
     [](const admin::ServerReport& server) { return server.connections; }},
    {"sandgate_upstream_server_requests_total", MetricType::kCounter, "Requests sent to the server, retries included.",
     [](const admin::ServerReport& server) { return server.requests; }},
    {"sandgate_upstream_server_failures_total", MetricType::kCounter,
     "Requests that the server did not answer in full.",
     [](const admin::ServerReport& server) { return server.failures; }},
    {"sandgate_upstream_server_retries_total", MetricType::kCounter,
     "Requests sent to the server after another one had failed.",
     [](const admin::ServerReport& server) { return server.retries; }},
    {"sandgate_upstream_server_ejections_total", MetricType::kCounter,
     "Times that the server was left alone for bad answers.",
     [](const admin::ServerReport& server) { return server.ejections; }},
};

}  // namespace

void write_upstream_servers(telemetry::Exposition& out, const std::vector<admin::UpstreamReport>& upstreams) {
  if (upstreams.empty()) return;
  out.family("sandgate_upstream_waiting_requests", MetricType::kGauge, "Requests that wait for a connection.");
  for (const admin::UpstreamReport& upstream : upstreams) out.sample({{"upstream", upstream.name}}, upstream.waiting);
  for (const ServerFamily& family : kFamilies) {
    out.family(family.name, family.type, family.help);
    for (const admin::UpstreamReport& upstream : upstreams) {
      for (const admin::ServerReport& server : upstream.servers)
        out.sample({{"upstream", upstream.name}, {"server", server.authority}}, family.read(server));
    }
  }
}

}  // namespace sandgate::server
