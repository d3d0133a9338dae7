// SPDX-License-Identifier: Apache-2.0
//
// What /metrics says about the upstreams of the configuration that serves, server by server. Counters begin anew when a
// reload changes an upstream.
#pragma once

#include <vector>

#include "admin/control.h"
#include "telemetry/exposition.h"

namespace sandgate::server {

void write_upstream_servers(telemetry::Exposition& out, const std::vector<admin::UpstreamReport>& upstreams);

}  // namespace sandgate::server
