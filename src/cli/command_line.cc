// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <map>
#include <optional>
#include <string>

#include "cli/commands.h"
#include "cli/module_subcommands.h"
#include "cli/print_config.h"
#include "platform/log.h"
#include "version.h"

namespace sandgate::cli {
namespace {

constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20;
// Range of the seed's max_body_size (requirements row 4-30).
constexpr std::uint64_t kBodyMebibytesMax = 100;
constexpr std::size_t kConnectionsMax = 1'000'000;
constexpr unsigned kDrainSecondsMax = 3600;

const std::map<std::string, telemetry::AccessLogFormat> kAccessLogFormats = {
    {"text", telemetry::AccessLogFormat::kText},
    {"json", telemetry::AccessLogFormat::kJson},
    {"off", telemetry::AccessLogFormat::kOff}};
const std::map<std::string, log::Level> kLogLevels = {{"debug", log::Level::kDebug},
                                                      {"info", log::Level::kInfo},
                                                      {"warning", log::Level::kWarning},
                                                      {"error", log::Level::kError},
                                                      {"off", log::Level::kOff}};

struct ServeLine {
  server::Settings settings;
  std::string wasm_admin;
  log::Level log_level = log::Level::kInfo;
  unsigned drain_seconds = 30;
  unsigned execution_milliseconds = 1000;
  unsigned cpu_milliseconds = 0;
  bool print_config = false;
  std::string data_directory = ".sandgate";
  bool ephemeral = false;
  bool no_health = false;
  bool no_metrics = false;
};

void add_listening(CLI::App& serve, ServeLine& line) {
  serve.add_option("--host", line.settings.host, "address to listen on")->capture_default_str()->group("Listening");
  serve.add_option("--port", line.settings.port, "port to listen on; 0 chooses a free one")
      ->capture_default_str()
      ->group("Listening");
  serve.add_option("--threads", line.settings.threads, "event loops; 0 is one per core")
      ->check(CLI::Range(0U, server::kThreadsMax))
      ->capture_default_str()
      ->group("Listening");
  serve.add_option("--max-connections", line.settings.connections_max, "open client connections")
      ->check(CLI::Range(std::size_t{1}, kConnectionsMax))
      ->capture_default_str()
      ->group("Listening");
  serve.add_option("--drain-seconds", line.drain_seconds, "time for open requests after SIGTERM")
      ->check(CLI::Range(0U, kDrainSecondsMax))
      ->capture_default_str()
      ->group("Listening");
}

void add_proxying(CLI::App& serve, ServeLine& line) {
  serve
      .add_option("--worker-urls", line.settings.worker_urls,
                  "upstream servers, as http://HOST:PORT; several in a row, with commas, or repeated")
      ->required()
      ->expected(1, -1)
      ->group("Proxying");
  serve
      .add_option("--trusted-proxies", line.settings.trusted_proxies,
                  "addresses whose X-Forwarded-* and Forwarded are believed, as 10.0.0.0/8; loopback when not given")
      ->expected(1, -1)
      ->group("Proxying");
}

// A variable of a script that is not set must not mean that nothing is kept.
std::string refuse_empty(const std::string& text) {
  return text.empty() ? "is empty; name a folder, or write --ephemeral to keep nothing" : "";
}

void add_modules(CLI::App& serve, ServeLine& line) {
  serve.add_flag("--enable-wasm", line.settings.enable_wasm, "serve /wasm and run the modules deployed there")
      ->group("Modules");
  serve.add_option("--admin-token", line.settings.admin_token, "bearer token that /wasm asks of everyone")
      ->envname("SANDGATE_ADMIN_TOKEN")
      ->group("Modules");
  serve
      .add_option("--wasm-admin", line.wasm_admin,
                  "`loopback`: /wasm for clients on this machine, also when listening beyond it")
      ->check(CLI::IsMember({"loopback"}))
      ->group("Modules");
  serve.add_option("--module-dir", line.settings.module_directory, "deploy only files from this folder")
      ->check(CLI::ExistingDirectory)
      ->group("Modules");
  serve
      .add_option("--wasm-module", line.settings.wasm_modules,
                  "deploy this file before the port opens, as NAME=FILE@OnRequest,OnResponse; repeatable")
      ->allow_extra_args(false)
      ->group("Modules");
  serve
      .add_option("--admin-listen", line.settings.admin_listen,
                  "serve /wasm on this address instead of the main port, as unix:/run/sandgate.sock or 127.0.0.1:3001")
      ->group("Modules");
  CLI::Option* data = serve.add_option("--data-dir", line.data_directory, "where deployed modules are kept")
                          ->check(&refuse_empty)
                          ->capture_default_str()
                          ->group("Modules");
  serve.add_flag("--ephemeral", line.ephemeral, "keep no modules: the next start has none of them")
      ->excludes(data)
      ->group("Modules");
  serve.add_option("--cache-dir", line.settings.cache_directory, "compiled code; by default $XDG_CACHE_HOME/sandgate")
      ->group("Modules");
}

// Ranges of the seed (requirements row 4-30).
constexpr std::uint64_t kMemoryPagesMax = 65536;
constexpr unsigned kExecutionMillisecondsMax = 300'000;
constexpr std::uint64_t kStackBytesMin = std::uint64_t{64} << 10;
constexpr std::uint64_t kStackBytesMax = std::uint64_t{16} << 20;
constexpr unsigned kCallsMax = 128;
constexpr std::size_t kWarmInstancesMax = 1000;

void add_limits(CLI::App& serve, ServeLine& line) {
  server::Settings& settings = line.settings;
  serve
      .add_option("--wasm-max-memory-pages", settings.wasm_memory_pages_max,
                  "memory of one instance in pages of 64 KiB")
      ->check(CLI::Range(std::uint64_t{1}, kMemoryPagesMax))
      ->capture_default_str()
      ->group("Limits of modules");
  serve.add_option("--wasm-max-execution-time-ms", line.execution_milliseconds, "wall time of one call")
      ->check(CLI::Range(1U, kExecutionMillisecondsMax))
      ->capture_default_str()
      ->group("Limits of modules");
  serve
      .add_option("--wasm-max-cpu-time-ms", line.cpu_milliseconds,
                  "CPU time of one call, without what it waits; none when not given")
      ->check(CLI::Range(1U, kExecutionMillisecondsMax))
      ->group("Limits of modules");
  serve.add_option("--wasm-max-stack-size", settings.wasm_stack_bytes_max, "stack of one instance in bytes")
      ->check(CLI::Range(kStackBytesMin, kStackBytesMax))
      ->capture_default_str()
      ->group("Limits of modules");
  serve
      .add_option("--wasm-thread-pool-size", settings.wasm_calls_max,
                  "calls that run at one time; more wait their turn (default 4, or one per thread)")
      ->check(CLI::Range(1U, kCallsMax))
      ->group("Limits of modules");
  serve
      .add_option("--wasm-module-cache-size", settings.wasm_warm_instances,
                  "instances that each thread keeps for modules deployed with \"instance\": \"reuse\"")
      ->check(CLI::Range(std::size_t{1}, kWarmInstancesMax))
      ->capture_default_str()
      ->group("Limits of modules");
  serve.add_option("--max-body-size", settings.body_bytes_max, "largest body that modules see, in bytes")
      ->check(CLI::Range(kMebibyte, kBodyMebibytesMax * kMebibyte))
      ->capture_default_str()
      ->group("Limits of modules");
}

void add_observing(CLI::App& serve, ServeLine& line) {
  serve.add_option("--access-log", line.settings.access_log, "a line per request on stdout: text, json or off")
      ->transform(CLI::CheckedTransformer(kAccessLogFormats, CLI::ignore_case))
      ->default_str("text")
      ->group("Observing");
  serve.add_flag("--access-log-query", line.settings.access_log_query, "show queries in it; they may hold secrets")
      ->group("Observing");
  serve
      .add_flag("--server-timing", line.settings.server_timing,
                "tell clients in Server-Timing what each module decided and how long it took")
      ->group("Observing");
  serve.add_option("--log-level", line.log_level, "of the log on stderr: debug, info, warning, error or off")
      ->transform(CLI::CheckedTransformer(kLogLevels, CLI::ignore_case))
      ->default_str("info")
      ->group("Observing");
  serve
      .add_option("--metrics-listen", line.settings.metrics_listen,
                  "serve /metrics on this address instead of the main port, as 127.0.0.1:9100")
      ->group("Observing");
  serve.add_flag("--print-config", line.print_config, "print what the server would run with as JSON, and exit")
      ->group("Observing");
  serve.add_flag("--no-health", line.no_health, "pass /healthz and /readyz to the workers")->group("Observing");
  serve.add_flag("--no-metrics", line.no_metrics, "pass /metrics to the workers")->group("Observing");
}

int run_serve(ServeLine& line) {
  line.settings.wasm_admin_loopback = line.wasm_admin == "loopback";
  if (!line.ephemeral) line.settings.data_directory = line.data_directory;
  line.settings.health_endpoints = !line.no_health;
  line.settings.metrics_endpoint = !line.no_metrics;
  line.settings.wasm_execution_time_max = Milliseconds(line.execution_milliseconds);
  line.settings.wasm_cpu_time_max = Milliseconds(line.cpu_milliseconds);
  line.settings.drain = std::chrono::seconds(line.drain_seconds);
  log::set_level(line.log_level);
  if (line.print_config) {
    fmt::print("{}\n", config_json(line.settings));
    return kExitOk;
  }
  return serve(line.settings);
}

}  // namespace

int run(int argc, char** argv) {
  CLI::App app("HTTP gateway whose plugins are sandboxed WebAssembly guests", "sandgate");
  app.set_version_flag("--version", fmt::format("sandgate {} ({})", kVersion, kRevision));
  app.require_subcommand(1);
  app.get_formatter()->column_width(36);

  ServeLine line;
  CLI::App* serve_command = app.add_subcommand("serve", "run a gateway in front of workers");
  add_listening(*serve_command, line);
  add_proxying(*serve_command, line);
  add_modules(*serve_command, line);
  add_limits(*serve_command, line);
  add_observing(*serve_command, line);

  DemoOptions demo_options;
  CLI::App* demo_command =
      app.add_subcommand("demo", "run a worker, a gateway and the examples, with curl lines to try");
  demo_command->add_option("--port", demo_options.port, "port of the gateway")->capture_default_str();
  demo_command->add_flag("--check", demo_options.check, "run the curl lines, print what they show, and exit");

  ModuleSubcommands modules(app);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& failure) {
    int code = app.exit(failure);
    return code == 0 ? kExitOk : kExitUsage;
  }
  if (serve_command->parsed()) return run_serve(line);
  if (std::optional<int> code = modules.run()) return *code;
  return demo(demo_options);
}

}  // namespace sandgate::cli
