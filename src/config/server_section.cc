// SPDX-License-Identifier: Apache-2.0
#include "config/server_section.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <vector>

#include "gateway/cidr.h"
#include "gateway/peer_ranges.h"

namespace sandgate::config {
namespace {

constexpr std::array<std::string_view, 3> kAccessLogs = {"off", "text", "json"};
constexpr std::array<std::string_view, 2> kTraceContexts = {"keep", "create"};
constexpr std::array<std::string_view, 3> kServerTimings = {"off", "always", "on_request"};
constexpr std::array<std::string_view, 5> kLogLevels = {"debug", "info", "warning", "error", "off"};
// A listener costs a descriptor and nothing else; more than this is a mistake of a generated file.
constexpr std::size_t kListenersMax = 64;
constexpr std::uint64_t kPageBytes = 64 * 1024;
// From "a client on the same machine" to "a phone in a tunnel".
constexpr Range<Milliseconds> kClientTime = {Milliseconds(100), Milliseconds(3'600'000)};

std::string below(const std::string& directory, const std::string& path) {
  return (std::filesystem::path(directory) / path).lexically_normal().string();
}

// A folder or file next to the configuration file.
void read_path(TableReader& in, std::string_view key, const std::string& directory, std::string& target) {
  std::string path;
  if (in.text(key, path)) target = below(directory, path);
}

bool has_port(std::string_view address) {
  if (address.starts_with("unix:")) return address.size() > 5;
  std::size_t colon = address.rfind(':');
  return colon != std::string_view::npos && colon + 1 < address.size() &&
         std::ranges::all_of(address.substr(colon + 1), [](char c) { return c >= '0' && c <= '9'; });
}

void read_listen(TableReader& in, std::vector<std::string>& listen) {
  std::vector<std::string> written = {"127.0.0.1:3000"};
  if (!in.texts("listen", written, "addresses with ports")) return;
  if (written.empty() || written.size() > kListenersMax)
    return in.mistake("listen", fmt::format("write 1 to {} addresses, as [\"0.0.0.0:3000\"]", kListenersMax));
  for (const std::string& address : written) {
    if (!has_port(address))
      in.mistake("listen", fmt::format("\"{}\" has no port; write \"0.0.0.0:3000\", \"[::1]:3000\" or "
                                       "\"unix:/run/sandgate.sock\"",
                                       address));
    if (std::ranges::count(written, address) > 1)
      in.mistake("listen", fmt::format("\"{}\" stands there twice", address));
  }
  listen = std::move(written);
}

void read_trusted(TableReader& in, std::vector<std::string>& trusted) {
  if (!in.texts("trusted_proxies", trusted, "addresses, as 10.0.0.0/8")) return;
  if (Result<std::vector<gateway::Cidr>> parsed = gateway::parse_cidr_list(trusted); !parsed)
    in.mistake("trusted_proxies", parsed.error().detail);
}

void read_proxy_protocol(TableReader& in, std::vector<std::string>& from) {
  if (!in.texts("proxy_protocol_from", from, "addresses, as 10.0.0.0/8, or unix")) return;
  if (Result<gateway::PeerRanges> parsed = gateway::PeerRanges::parse(from); !parsed)
    in.mistake("proxy_protocol_from", parsed.error().detail);
}

void read_handover(TableReader& in, const std::string& directory, std::string& handover) {
  read_path(in, "handover", directory, handover);
  // What a sockaddr_un holds, without its NUL.
  constexpr std::size_t kSocketPathBytesMax = 107;
  if (handover.size() > kSocketPathBytesMax) {
    in.mistake("handover", fmt::format("the path of a Unix socket has at most {} bytes; \"{}\" has {}",
                                       kSocketPathBytesMax, handover, handover.size()));
  }
}

void read_timeouts(TableReader& in, ClientTimeouts& timeouts) {
  in.table("timeouts", [&timeouts](TableReader& table) {
    table.duration("head", timeouts.head, kClientTime);
    table.duration("idle", timeouts.idle, kClientTime);
    table.duration("body", timeouts.body, kClientTime);
    table.duration("write", timeouts.write, kClientTime);
  });
}

void read_admin(TableReader& in, const std::string& directory, Settings& settings) {
  in.table("admin", [&](TableReader& table) {
    if (table.text("listen", settings.admin_listen) && !has_port(settings.admin_listen))
      table.mistake("listen", "write \"127.0.0.1:3001\" or \"unix:/run/sandgate-admin.sock\"");
    table.secret("token", settings.admin_token);
    const Value* file = table.any("token_file", "path of a file that holds the token");
    if (file != nullptr && file->as<std::string>() != nullptr) {
      std::string path = below(directory, *file->as<std::string>());
      Table secret{{"token_file", {Table{{"file", {path, file->line}}}, file->line}}};
      TableReader reader(secret, file->line, "server.admin", {table.reading().diagnostics, nullptr});
      reader.secret("token_file", settings.admin_token);
    } else if (file != nullptr) {
      table.refuse("token_file", *file, "a path in quotes");
    }
    if (table.has("token") && file != nullptr) table.mistake("\"token\" and \"token_file\" exclude each other");
    table.boolean("loopback", settings.wasm_admin_loopback);
  });
}

}  // namespace

void read_server(TableReader& in, const std::string& directory, Settings& settings) {
  read_listen(in, settings.listen);
  in.count("threads", settings.threads, {0, kThreadsMax});
  in.boolean("modules", settings.enable_wasm);
  settings.data_directory = ".sandgate";
  bool ephemeral = false;
  in.text("data_dir", settings.data_directory);
  in.boolean("ephemeral", ephemeral);
  if (ephemeral && in.has("data_dir")) in.mistake("\"data_dir\" and \"ephemeral\" exclude each other");
  settings.data_directory = ephemeral ? "" : below(directory, settings.data_directory);
  read_path(in, "cache_dir", directory, settings.cache_directory);
  read_path(in, "module_dir", directory, settings.module_directory);
  read_admin(in, directory, settings);
  read_trusted(in, settings.trusted_proxies);
  read_proxy_protocol(in, settings.proxy_protocol_from);
  in.count("max_connections", settings.connections_max, kConnections);
  in.count("max_connections_per_client", settings.connections_per_client_max, {0, kConnections.most});
  in.count("max_requests_in_flight", settings.requests_in_flight_max, {0, kConnections.most});
  in.duration("drain", settings.drain, kDrain);
  read_handover(in, directory, settings.handover);
  read_timeouts(in, settings.client_timeouts);
  in.boolean("health", settings.health_endpoints);
  in.boolean("metrics", settings.metrics_endpoint);
  if (in.text("metrics_listen", settings.metrics_listen) && !has_port(settings.metrics_listen))
    in.mistake("metrics_listen", "write \"127.0.0.1:9100\"");
  in.one_of("access_log", settings.access_log, kAccessLogs);
  in.boolean("access_log_query", settings.access_log_query);
  in.one_of("trace_context", settings.trace_context, kTraceContexts);
  in.one_of("server_timing", settings.server_timing, kServerTimings);
  in.one_of("log_level", settings.log_level, kLogLevels);
}

void read_limits(TableReader& in, Settings& settings) {
  std::uint64_t memory = settings.wasm_memory_pages_max * kPageBytes;
  if (in.bytes("memory", memory, {kMemoryPages.least * kPageBytes, kMemoryPages.most * kPageBytes})) {
    if (memory % kPageBytes != 0) in.mistake("memory", "memory comes in pages of 64KiB; write a multiple of that");
    settings.wasm_memory_pages_max = memory / kPageBytes;
  }
  in.duration("time", settings.wasm_execution_time_max, kCallTime);
  in.duration("cpu", settings.wasm_cpu_time_max, kCallTime);
  in.bytes("stack", settings.wasm_stack_bytes_max, kStackBytes);
  in.count("running_calls", settings.wasm_calls_max, kRunningCalls);
  in.count("warm_instances", settings.wasm_warm_instances, kWarmInstances);
  in.bytes("body", settings.body_bytes_max, kBodyBytes);
}

}  // namespace sandgate::config
