// SPDX-License-Identifier: Apache-2.0
//
// What the process as a whole was told, by the file and the command line: checked for form but not yet resolved.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/loop.h"
#include "capability/key_value/state_options.h"
#include "gateway/server_timing.h"
#include "gateway/trace_context.h"
#include "platform/log.h"
#include "telemetry/access_line.h"

namespace sandgate::config {

// How long a client may take; see net/server_options.h.
struct ClientTimeouts {
  Milliseconds head{10'000};
  Milliseconds idle{75'000};
  Milliseconds body{30'000};
  Milliseconds write{60'000};

  bool operator==(const ClientTimeouts&) const = default;
};

struct Settings {
  std::string config_file;  // where the rest comes from; empty: from flags alone
  std::string host = "127.0.0.1";
  std::uint16_t port = 3000;
  std::vector<std::string> listen;  // addresses with ports; when there are some, host and port are not looked at
  unsigned threads = 0;             // 0: one per core
  std::vector<std::string> worker_urls;

  bool enable_wasm = false;
  std::string admin_token;                // empty: none
  bool wasm_admin_loopback = false;       // /wasm for loopback clients although the server listens beyond loopback
  std::string module_directory;           // empty: module files may lie anywhere
  std::string cache_directory;            // compiled code; empty: $XDG_CACHE_HOME/sandgate
  std::string data_directory;             // deployed modules; empty: none are kept
  std::vector<std::string> wasm_modules;  // deployed at the start: NAME=FILE@OnRequest,OnResponse
  std::string admin_listen;               // /wasm on this address instead of the main port; empty: the main port
  std::uint64_t body_bytes_max = std::uint64_t{10} << 20;  // bodies that modules see
  std::uint64_t wasm_memory_pages_max = 1024;              // of 64 KiB, over all memories of an instance
  Milliseconds wasm_execution_time_max{1000};              // wall time of one call
  Milliseconds wasm_cpu_time_max{0};                       // CPU time of one call; 0: no limit of its own
  std::uint64_t wasm_stack_bytes_max = std::uint64_t{1} << 20;
  unsigned wasm_calls_max = 0;           // running at one time; 0: 4, or one per thread when there are more
  std::size_t wasm_warm_instances = 10;  // kept by each thread for modules deployed with "instance": "reuse"

  capability::StateOptions state;  // where key-value stores are kept

  std::string metrics_listen;  // empty: /metrics on the main port, for loopback clients
  bool health_endpoints = true;
  bool metrics_endpoint = true;
  telemetry::AccessLogFormat access_log = telemetry::AccessLogFormat::kText;
  bool access_log_query = false;  // show what follows the question mark, too
  gateway::TraceContext trace_context = gateway::TraceContext::kKeep;
  gateway::ServerTimingRule server_timing = gateway::ServerTimingRule::kOff;
  std::vector<std::string> trusted_proxies;  // empty: loopback

  // The program whose `compile-module` command compiles modules; this one, but for tests.
  std::string compiler_program = "/proc/self/exe";

  std::vector<std::string> proxy_protocol_from;  // whose connections begin with a PROXY protocol header

  std::size_t connections_max = 8192;
  std::size_t connections_per_client_max = 0;  // 0: no bound
  std::size_t requests_in_flight_max = 0;      // 0: no bound
  ClientTimeouts client_timeouts;
  Milliseconds drain{30'000};
  std::string handover;  // the Unix socket where servers meet their successors; empty: none
  log::Level log_level = log::Level::kInfo;

  bool operator==(const Settings&) const = default;
};

// Most loops one process runs; beyond it more processes serve better.
inline constexpr unsigned kThreadsMax = 256;

// The settings that a running process cannot change and that differ between the two, by their names in the file:
// "listen, threads". Empty when there are none.
std::string fixed_settings_that_differ(const Settings& running, const Settings& next);

// What a server makes of a 0: one loop per core.
unsigned loop_count(const Settings& settings);
// And of a 0 for the calls that run at one time: 4, or one per loop when there are more. A call that ends within its
// slice needs its thread only: fewer places than threads would leave threads idle.
unsigned calls_max(const Settings& settings);

}  // namespace sandgate::config
