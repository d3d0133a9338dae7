// SPDX-License-Identifier: Apache-2.0
#include "telemetry/metrics_text.h"

#include <cstddef>
#include <cstdint>

#include "telemetry/exposition.h"
#include "telemetry/state_text.h"

namespace sandgate::telemetry {
namespace {

// The sum over all loops of what `read(loop)` gives.
template <typename Read>
std::uint64_t sum(const Metrics& metrics, Read&& read) {
  std::uint64_t total = 0;
  for (const LoopMetrics& loop : metrics.loops()) total += read(loop);
  return total;
}

std::uint64_t sum(const Metrics& metrics, Counter LoopMetrics::* counter) {
  return sum(metrics, [counter](const LoopMetrics& loop) { return (loop.*counter).read(); });
}

// Two counters that are read at different moments may seem to cross.
std::uint64_t difference(std::uint64_t started, std::uint64_t ended) { return started > ended ? started - ended : 0; }

void write_counter(Exposition& out, std::string_view name, std::string_view help, std::uint64_t value) {
  out.family(name, MetricType::kCounter, help);
  out.sample({}, value);
}

void write_gauge(Exposition& out, std::string_view name, std::string_view help, std::uint64_t value) {
  out.family(name, MetricType::kGauge, help);
  out.sample({}, value);
}

void write_connections(Exposition& out, const ConnectionCounts& connections) {
  write_counter(out, "sandgate_connections_accepted_total", "Client connections accepted.", connections.accepted);
  write_gauge(out, "sandgate_connections_open", "Client connections open now.", connections.open);
  write_counter(out, "sandgate_refused_heads_total", "Requests refused before they were whole and valid HTTP.",
                connections.refused_heads);
  write_counter(out, "sandgate_timed_out_heads_total", "Connections closed because no whole request came in time.",
                connections.timed_out_heads);
  write_counter(out, "sandgate_refused_proxy_headers_total",
                "Connections closed because a trusted proxy sent no valid PROXY protocol header.",
                connections.refused_proxy_headers);
  write_counter(out, "sandgate_refused_connections_total",
                "Connections closed because their client had as many as one client may have.",
                connections.refused_clients);
  write_counter(out, "sandgate_refused_requests_total",
                "Requests answered 503 because as many were in flight as may be.", connections.refused_requests);
  write_counter(out, "sandgate_accept_pauses_total", "Times that accepting stopped at a limit.",
                connections.accept_pauses);
}

void write_requests(Exposition& out, const Metrics& metrics) {
  out.family("sandgate_requests_total", MetricType::kCounter, "Requests answered, by method and class of the status.");
  for (std::size_t method = 0; method < kMethodLabels.size(); ++method) {
    for (std::size_t status = 0; status < kStatusLabels.size(); ++status) {
      std::uint64_t count = sum(metrics, [=](const LoopMetrics& loop) { return loop.requests[method][status].read(); });
      if (count != 0) out.sample({{"method", kMethodLabels[method]}, {"code", kStatusLabels[status]}}, count);
    }
  }
  std::uint64_t ended = sum(metrics, &LoopMetrics::requests_ended);
  write_gauge(out, "sandgate_requests_in_flight", "Requests being served now.",
              difference(sum(metrics, &LoopMetrics::requests_started), ended));
  write_counter(out, "sandgate_request_body_bytes_total", "Bytes of request bodies read.",
                sum(metrics, &LoopMetrics::request_bytes));
  write_counter(out, "sandgate_response_body_bytes_total", "Bytes of response bodies sent.",
                sum(metrics, &LoopMetrics::response_bytes));
}

void write_durations(Exposition& out, const Metrics& metrics) {
  out.family("sandgate_request_duration_seconds", MetricType::kHistogram,
             "Time from the end of a request's head to the end of its response.");
  std::uint64_t count = 0;
  for (std::size_t bucket = 0; bucket <= DurationHistogram::kBounds.size(); ++bucket) {
    count += sum(metrics, [=](const LoopMetrics& loop) { return loop.durations.buckets[bucket].read(); });
    bool last = bucket == DurationHistogram::kBounds.size();
    out.sample({{"le", last ? "+Inf" : DurationHistogram::kBounds[bucket].seconds}}, count, "_bucket");
  }
  out.sample_seconds({}, sum(metrics, [](const LoopMetrics& loop) { return loop.durations.sum_ns.read(); }), "_sum");
  out.sample({}, count, "_count");
}

std::uint64_t read(const modules::HookStats::Number& number) { return number.load(std::memory_order_relaxed); }

// Calls `write(module name, attach point, stats)` for each hook that is attached.
template <typename Write>
void for_each_hook(const modules::Snapshot& snapshot, Write write) {
  for (const auto& module : snapshot.all) {
    for (modules::AttachPoint point : module->attach_points) {
      write(module->name, modules::attach_point_name(point), module->stats(point));
    }
  }
}

void write_hook_outcomes(Exposition& out, const modules::Snapshot& snapshot) {
  out.family("sandgate_module_calls_total", MetricType::kCounter,
             "Calls of a module by what came of them: its decision, or the kind of its failure.");
  for_each_hook(snapshot, [&out](std::string_view module, std::string_view point, const modules::HookStats& stats) {
    for (std::size_t i = 0; i < stats.decisions.size(); ++i) {
      out.sample({{"module", module}, {"attach_point", point}, {"outcome", modules::kDecisionNames[i]}},
                 read(stats.decisions[i]));
    }
    for (std::size_t i = 0; i < stats.failures.size(); ++i) {
      std::string_view kind = sandbox::failure_kind_name(static_cast<sandbox::FailureKind>(i));
      std::uint64_t count = read(stats.failures[i]);
      if (count != 0) out.sample({{"module", module}, {"attach_point", point}, {"outcome", kind}}, count);
    }
  });
}

void write_hook_durations(Exposition& out, const modules::Snapshot& snapshot) {
  out.family("sandgate_module_call_duration_seconds", MetricType::kHistogram, "Time in calls of a module.");
  for_each_hook(snapshot, [&out](std::string_view module, std::string_view point, const modules::HookStats& stats) {
    std::uint64_t count = 0;
    for (std::size_t bucket = 0; bucket < stats.buckets.size(); ++bucket) {
      count += read(stats.buckets[bucket]);
      bool last = bucket == modules::HookStats::kBounds.size();
      std::string_view bound = last ? "+Inf" : modules::HookStats::kBounds[bucket].seconds;
      out.sample({{"module", module}, {"attach_point", point}, {"le", bound}}, count, "_bucket");
    }
    out.sample_seconds({{"module", module}, {"attach_point", point}}, read(stats.sum_ns), "_sum");
    out.sample({{"module", module}, {"attach_point", point}}, count, "_count");
  });
}

void write_hooks(Exposition& out, const modules::Snapshot& snapshot) {
  if (snapshot.all.empty()) return;
  write_hook_outcomes(out, snapshot);
  write_hook_durations(out, snapshot);
  out.family("sandgate_module_memory_peak_bytes", MetricType::kGauge, "Most linear memory that one instance used.");
  for_each_hook(snapshot, [&out](std::string_view module, std::string_view point, const modules::HookStats& stats) {
    out.sample({{"module", module}, {"attach_point", point}}, read(stats.memory_peak_bytes));
  });
  out.family("sandgate_module_instances", MetricType::kGauge, "Instances that exist now, running or kept.");
  for_each_hook(snapshot, [&out](std::string_view module, std::string_view point, const modules::HookStats& stats) {
    out.sample({{"module", module}, {"attach_point", point}}, read(stats.instances));
  });
  out.family("sandgate_module_waits_total", MetricType::kCounter, "Calls that waited for a free place.");
  for_each_hook(snapshot, [&out](std::string_view module, std::string_view point, const modules::HookStats& stats) {
    out.sample({{"module", module}, {"attach_point", point}}, read(stats.waits));
  });
  out.family("sandgate_module_wait_seconds_total", MetricType::kCounter, "Time that calls waited for a free place.");
  for_each_hook(snapshot, [&out](std::string_view module, std::string_view point, const modules::HookStats& stats) {
    out.sample_seconds({{"module", module}, {"attach_point", point}}, read(stats.waited_ns));
  });
}

void write_modules(Exposition& out, const modules::ModuleStore& store) {
  std::shared_ptr<const modules::Snapshot> snapshot = store.snapshot();
  modules::ExecutionTotals totals = store.totals();
  write_gauge(out, "sandgate_modules_deployed", "Modules deployed now.", snapshot->all.size());
  out.family("sandgate_guest_calls_total", MetricType::kCounter, "Guest calls since start, removed modules included.");
  out.sample({{"result", "success"}}, totals.successes);
  out.sample({{"result", "failure"}}, totals.failures);
  write_hooks(out, *snapshot);
}

void write_process(Exposition& out, const ProcessUsage& usage) {
  write_gauge(out, "process_resident_memory_bytes", "Resident memory.", usage.resident_bytes);
  out.family("process_cpu_seconds_total", MetricType::kCounter, "User and system CPU time.");
  out.sample_seconds({}, usage.cpu_ns);
  write_gauge(out, "process_open_fds", "Open file descriptors.", usage.open_files);
  write_gauge(out, "process_max_fds", "Most file descriptors that may be open.", usage.open_files_max);
}

}  // namespace

std::string metrics_text(const MetricsSources& sources, const ProcessUsage& usage) {
  Exposition out;
  out.family("sandgate_build_info", MetricType::kGauge, "Version and revision of the server; always 1.");
  out.sample({{"version", sources.build.version}, {"revision", sources.build.revision}}, 1);
  if (sources.metrics != nullptr) {
    out.family("process_start_time_seconds", MetricType::kGauge, "Unix time of the server's start.");
    out.sample_seconds({}, static_cast<std::uint64_t>(sources.metrics->started_unix_ns()));
  }
  write_process(out, usage);
  if (sources.connections) write_connections(out, sources.connections());
  if (sources.metrics != nullptr) {
    write_requests(out, *sources.metrics);
    write_durations(out, *sources.metrics);
  }
  if (sources.routes != nullptr) sources.routes->write(out);
  if (sources.more) sources.more(out);
  if (sources.modules != nullptr) write_modules(out, *sources.modules);
  if (sources.state != nullptr) write_state(out, *sources.state);
  if (sources.access_log != nullptr) {
    write_counter(out, "sandgate_access_log_dropped_lines_total",
                  "Lines that nobody took from standard output in time.", sources.access_log->dropped());
  }
  return out.take();
}

}  // namespace sandgate::telemetry
