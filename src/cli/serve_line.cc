// SPDX-License-Identifier: Apache-2.0
#include "cli/serve_line.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "config/server_section.h"
#include "platform/log.h"

namespace sandgate::cli {
namespace {

constexpr auto kDrainSecondsMax = static_cast<unsigned>(config::kDrain.most.count() / 1000);
constexpr auto kCallMillisecondsMax = static_cast<unsigned>(config::kCallTime.most.count());

template <typename T>
CLI::Range within(const config::Range<T>& range) {
  return {range.least, range.most};
}

const std::map<std::string, telemetry::AccessLogFormat> kAccessLogFormats = {
    {"text", telemetry::AccessLogFormat::kText},
    {"json", telemetry::AccessLogFormat::kJson},
    {"off", telemetry::AccessLogFormat::kOff}};
const std::map<std::string, log::Level> kLogLevels = {{"debug", log::Level::kDebug},
                                                      {"info", log::Level::kInfo},
                                                      {"warning", log::Level::kWarning},
                                                      {"error", log::Level::kError},
                                                      {"off", log::Level::kOff}};

const std::map<std::string, gateway::ServerTimingRule> kServerTimings = {
    {"off", gateway::ServerTimingRule::kOff},
    {"always", gateway::ServerTimingRule::kAlways},
    {"on_request", gateway::ServerTimingRule::kOnRequest}};

// Flags as they are written, over what the file says.
struct Flags {
  config::Settings settings;
  std::string file;
  std::string host;
  std::optional<std::uint16_t> port;
  std::string wasm_admin;
  unsigned drain_seconds = 30;
  unsigned execution_milliseconds = 1000;
  unsigned cpu_milliseconds = 0;
  bool print_config = false;
  std::string data_directory = ".sandgate";
  bool ephemeral = false;
  bool no_health = false;
  bool no_metrics = false;
};

void add_listening(CLI::App& serve, Flags& line) {
  serve.add_option("FILE", line.file, "configuration file; flags override what it says");
  serve.add_option("--host", line.host, "address to listen on")->default_str("127.0.0.1")->group("Listening");
  serve.add_option("--port", line.port, "port to listen on; 0 chooses a free one")
      ->default_str("3000")
      ->group("Listening");
  serve.add_option("--threads", line.settings.threads, "event loops; 0 is one per core")
      ->check(CLI::Range(0U, config::kThreadsMax))
      ->capture_default_str()
      ->group("Listening");
  serve.add_option("--max-connections", line.settings.connections_max, "open client connections")
      ->check(within(config::kConnections))
      ->capture_default_str()
      ->group("Listening");
  serve
      .add_option(
          "--handover", line.settings.handover,
          "take the listening sockets of the server that waits at this Unix socket, then wait there for the next "
          "one")
      ->group("Listening");
  serve.add_option("--drain-seconds", line.drain_seconds, "time for open requests after SIGTERM")
      ->check(CLI::Range(0U, kDrainSecondsMax))
      ->capture_default_str()
      ->group("Listening");
}

void add_proxying(CLI::App& serve, Flags& line) {
  serve
      .add_option("--worker-urls", line.settings.worker_urls,
                  "upstream servers, as http://HOST:PORT; several in a row, with commas, or repeated")
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

void add_modules(CLI::App& serve, Flags& line) {
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
  serve
      .add_option("--state-url", line.settings.state.url,
                  "where stores of modules are kept: memory:, sqlite:PATH or redis://USER:PASSWORD@HOST:PORT/DATABASE, "
                  "rediss:// with TLS; "
                  "the variable keeps passwords out of lists of processes")
      ->envname("SANDGATE_STATE_URL")
      ->group("Modules");
  serve.add_option("--cache-dir", line.settings.cache_directory, "compiled code; by default $XDG_CACHE_HOME/sandgate")
      ->group("Modules");
}

void add_limits(CLI::App& serve, Flags& line) {
  config::Settings& settings = line.settings;
  serve
      .add_option("--wasm-max-memory-pages", settings.wasm_memory_pages_max,
                  "memory of one instance in pages of 64 KiB")
      ->check(within(config::kMemoryPages))
      ->capture_default_str()
      ->group("Limits of modules");
  serve.add_option("--wasm-max-execution-time-ms", line.execution_milliseconds, "wall time of one call")
      ->check(CLI::Range(1U, kCallMillisecondsMax))
      ->capture_default_str()
      ->group("Limits of modules");
  serve
      .add_option("--wasm-max-cpu-time-ms", line.cpu_milliseconds,
                  "CPU time of one call, without what it waits; none when not given")
      ->check(CLI::Range(1U, kCallMillisecondsMax))
      ->group("Limits of modules");
  serve.add_option("--wasm-max-stack-size", settings.wasm_stack_bytes_max, "stack of one instance in bytes")
      ->check(within(config::kStackBytes))
      ->capture_default_str()
      ->group("Limits of modules");
  serve
      .add_option("--wasm-thread-pool-size", settings.wasm_calls_max,
                  "calls that run at one time; more wait their turn (default 4, or one per thread)")
      ->check(within(config::kRunningCalls))
      ->group("Limits of modules");
  serve
      .add_option("--wasm-module-cache-size", settings.wasm_warm_instances,
                  "instances that each thread keeps for modules deployed with \"instance\": \"reuse\"")
      ->check(within(config::kWarmInstances))
      ->capture_default_str()
      ->group("Limits of modules");
  serve.add_option("--max-body-size", settings.body_bytes_max, "largest body that modules see, in bytes")
      ->check(within(config::kBodyBytes))
      ->capture_default_str()
      ->group("Limits of modules");
}

void add_observing(CLI::App& serve, Flags& line) {
  serve.add_option("--access-log", line.settings.access_log, "a line per request on stdout: text, json or off")
      ->transform(CLI::CheckedTransformer(kAccessLogFormats, CLI::ignore_case))
      ->default_str("text")
      ->group("Observing");
  serve.add_flag("--access-log-query", line.settings.access_log_query, "show queries in it; they may hold secrets")
      ->group("Observing");
  serve
      .add_flag("--server-timing{always}", line.settings.server_timing,
                "tell clients in Server-Timing how long upstream and modules took: everybody (always, when no word "
                "follows), or those at trusted addresses that send X-Server-Timing: 1 (on_request)")
      ->transform(CLI::CheckedTransformer(kServerTimings, CLI::ignore_case).description("=off, always, on_request"))
      ->group("Observing");
  serve.add_option("--log-level", line.settings.log_level, "of the log on stderr: debug, info, warning, error or off")
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

void add_flags(CLI::App& serve, Flags& line) {
  add_listening(serve, line);
  add_proxying(serve, line);
  add_modules(serve, line);
  add_limits(serve, line);
  add_observing(serve, line);
}

// Flags that are not given keep what the file says.
Flags flags_over(const config::Settings& settings) {
  Flags line;
  line.settings = settings;
  line.wasm_admin = settings.wasm_admin_loopback ? "loopback" : "";
  line.drain_seconds = static_cast<unsigned>(settings.drain.count() / 1000);
  line.execution_milliseconds = static_cast<unsigned>(settings.wasm_execution_time_max.count());
  line.cpu_milliseconds = static_cast<unsigned>(settings.wasm_cpu_time_max.count());
  line.data_directory = settings.data_directory;
  line.no_health = !settings.health_endpoints;
  line.no_metrics = !settings.metrics_endpoint;
  return line;
}

config::Settings settings_of(Flags line) {
  config::Settings settings = std::move(line.settings);
  settings.wasm_admin_loopback = line.wasm_admin == "loopback";
  settings.data_directory = line.ephemeral ? "" : line.data_directory;
  settings.health_endpoints = !line.no_health;
  settings.metrics_endpoint = !line.no_metrics;
  settings.wasm_execution_time_max = Milliseconds(line.execution_milliseconds);
  settings.wasm_cpu_time_max = Milliseconds(line.cpu_milliseconds);
  // A file may be finer than seconds.
  if (settings.drain.count() / 1000 != line.drain_seconds) settings.drain = std::chrono::seconds(line.drain_seconds);
  if (!line.host.empty() || line.port) settings.listen.clear();
  if (!line.host.empty()) settings.host = line.host;
  if (line.port) settings.port = *line.port;
  return settings;
}

// Workers on the command line take the place of the file's, when it is clear of which.
std::string override_workers(const std::vector<std::string>& urls, std::shared_ptr<const config::Manifest>& manifest) {
  Result<std::shared_ptr<const config::Manifest>> workers = config::manifest_of_workers(urls);
  if (!workers) return workers.error().detail;
  if (manifest == nullptr) {
    manifest = std::move(*workers);
    return {};
  }
  if (manifest->upstreams.size() != 1) {
    return fmt::format("--worker-urls: the file has {} upstreams; it replaces the servers of one only",
                       manifest->upstreams.size());
  }
  auto changed = std::make_shared<config::Manifest>(*manifest);
  changed->upstreams.front().options.servers = (*workers)->upstreams.front().options.servers;
  manifest = std::move(changed);
  return {};
}

}  // namespace

struct ServeLine::Impl {
  std::vector<std::string> words;
  Flags flags;
  CLI::App* command = nullptr;
};

ServeLine::ServeLine(CLI::App& app, int argc, char** argv) : impl_(std::make_unique<Impl>()) {
  impl_->words.assign(argv + 1, argv + argc);
  impl_->flags.data_directory = ".sandgate";
  impl_->command = app.add_subcommand("serve", "run a gateway in front of workers");
  add_flags(*impl_->command, impl_->flags);
}

ServeLine::~ServeLine() = default;

bool ServeLine::parsed() const { return impl_->command->parsed(); }
bool ServeLine::wants_print() const { return impl_->flags.print_config; }

config::Effective ServeLine::load() const {
  config::Effective effective;
  Flags flags = impl_->flags;
  if (!flags.file.empty()) {
    Result<config::Loaded> loaded = config::load_manifest(flags.file);
    if (!loaded) {
      effective.mistakes.push_back(loaded.error().detail);
      return effective;
    }
    effective.mistakes = loaded->diagnostics.lines(flags.file);
    if (!effective.mistakes.empty()) return effective;
    effective.manifest = loaded->manifest;
    Flags over = flags_over(loaded->settings);
    CLI::App again;
    add_flags(*again.add_subcommand("serve"), over);
    // Parsed before, so it parses now.
    std::vector<std::string> reversed(impl_->words.rbegin(), impl_->words.rend());
    again.parse(std::move(reversed));
    over.settings.config_file = flags.file;
    flags = std::move(over);
  }
  std::vector<std::string> workers = flags.settings.worker_urls;
  effective.settings = settings_of(std::move(flags));
  if (effective.manifest == nullptr && workers.empty()) {
    effective.mistakes.emplace_back(
        "there is nothing to serve: name a configuration file, or write --worker-urls http://HOST:PORT");
    return effective;
  }
  if (!workers.empty()) {
    std::string mistake = override_workers(workers, effective.manifest);
    if (!mistake.empty()) effective.mistakes.push_back(std::move(mistake));
  }
  return effective;
}

}  // namespace sandgate::cli
