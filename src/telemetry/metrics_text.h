// SPDX-License-Identifier: Apache-2.0
//
// The page that /metrics answers with: everything counted, in the text exposition format. Runs on any loop's thread;
// reads counters while others write them, so numbers of one page may be some requests apart.
#pragma once

#include <functional>
#include <string>

#include "capability/key_value/state.h"
#include "modules/module_store.h"
#include "telemetry/access_log.h"
#include "telemetry/exposition.h"
#include "telemetry/metrics.h"
#include "telemetry/process_usage.h"
#include "telemetry/route_metrics.h"

namespace sandgate::telemetry {

struct BuildInfo {
  std::string version;
  std::string revision;
};

// What there is to tell. Everything outlives the page; a null part is left out.
struct MetricsSources {
  const Metrics* metrics = nullptr;
  const RouteMetrics* routes = nullptr;
  const modules::ModuleStore* modules = nullptr;
  const AccessLog* access_log = nullptr;
  const capability::State* state = nullptr;
  std::function<ConnectionCounts()> connections;  // any thread
  BuildInfo build;
  std::function<void(Exposition&)> more;  // families of the server's own; any thread
};

std::string metrics_text(const MetricsSources& sources, const ProcessUsage& usage);

}  // namespace sandgate::telemetry
